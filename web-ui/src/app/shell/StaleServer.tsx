import { useQuery } from "@tanstack/react-query";

import { StaleNotice } from "@/components/feedback/StaleNotice";
import { momentText } from "@/lib/format";
import { texts } from "@/lib/texts";

import { healthQuery } from "./health";

/** Says that the server, which was reached before, is not reached now. */
export function StaleServer() {
  const { isError, dataUpdatedAt } = useQuery(healthQuery);
  if (!isError || dataUpdatedAt === 0) return null;
  return <StaleNotice text={texts.health.stale(momentText(new Date(dataUpdatedAt).toISOString()))} />;
}
