import { Drawer } from "@mantine/core";

import { ProblemPanel } from "@/components/feedback/ProblemPanel";
import { Spinner } from "@/components/Spinner";

import { usePluginReport } from "../../api/plugins";
import { texts } from "../../texts";
import { ReportView } from "./ReportView";

interface Props {
  /** Whose details are read; null when none are. */
  name: string | null;
  onClose: () => void;
}

/** Everything about one plugin, beside the cards. */
export function PluginDrawer({ name, onClose }: Props) {
  return (
    <Drawer
      opened={name !== null}
      onClose={onClose}
      position="right"
      size="lg"
      title={name}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {name === null ? null : <Report name={name} />}
    </Drawer>
  );
}

function Report({ name }: { name: string }) {
  const { data, error, refetch } = usePluginReport(name, true);
  if (data !== undefined) return <ReportView report={data} />;
  if (error !== null) return <ProblemPanel isPolled error={error} onRetry={() => void refetch()} />;
  return <Spinner label={texts.report.loading} />;
}
