import { Accordion, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { ProblemPanel } from "@/components/feedback/ProblemPanel";

import { pluginQuery } from "../api/plugins";
import type { useAnalysis } from "../hooks/useAnalysis";
import { texts } from "../texts";
import { OptionsForm } from "./OptionsForm";
import { Part } from "./Part";
import { ToolCards } from "./ToolCards";

interface Props {
  plugin: string;
  analysis: ReturnType<typeof useAnalysis>;
  /** The tools whose options are shown. */
  opened: string[];
  onOpen: (tools: string[]) => void;
}

/** The tools of the chosen plugin, and the options of the chosen tools. */
export function ToolsPart({ plugin, analysis, opened, onOpen }: Props) {
  const report = useQuery(pluginQuery(plugin));
  return (
    <>
      <Part title={texts.tools.title} hint={texts.tools.hint}>
        {report.isPending ? <Skeleton h={96} role="status" aria-label={texts.tools.loading} /> : null}
        {report.isError && report.data === undefined ? (
          <ProblemPanel error={report.error} onRetry={() => void report.refetch()} />
        ) : null}
        {report.data === undefined ? null : (
          <ToolCards
            tools={report.data.tools}
            chosen={analysis.chosen.map(({ name }) => name)}
            onChoose={analysis.chooseTools}
          />
        )}
      </Part>
      {analysis.forms.length === 0 ? null : (
        <Part title={texts.options.title}>
          <Accordion multiple variant="separated" order={3} transitionDuration={0} value={opened} onChange={onOpen}>
            {analysis.forms.map((form) => (
              <OptionsForm key={form.tool} form={form} onDraft={analysis.draft} onReset={analysis.reset} />
            ))}
          </Accordion>
        </Part>
      )}
    </>
  );
}
