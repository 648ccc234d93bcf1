import { Grid, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { isUsable, pluginQuery, pluginsQuery } from "../api/plugins";
import { serviceFactsQuery } from "../api/serviceFacts";
import { useAnalysis } from "../hooks/useAnalysis";
import { useSubmit } from "../hooks/useSubmit";
import { isUnderway, useUploads } from "../hooks/useUploads";
import { checkFile } from "../media/checks";
import { titleOf, unfitReason } from "../media/fit";
import type { Upload, UploadQueue } from "../queue/UploadQueue";
import { texts } from "../texts";
import classes from "./Analyze.module.css";
import { DevicePart } from "./DevicePart";
import { FilesPart } from "./FilesPart";
import { Part } from "./Part";
import { PluginCards } from "./PluginCards";
import { SubmitBar } from "./SubmitBar";
import { ToolsPart } from "./ToolsPart";

/** Too large, or of a kind that no one reads: the same file is refused every time. */
const REFUSED_FOR_GOOD = new Set([413, 415]);

interface Props {
  queue: UploadQueue;
  /** Called when the only chosen file became a job. */
  onJob: (jobId: string) => void;
}

/** Choose files, a plugin, its tools and their options, and send them. */
export function Analyze({ queue, onJob }: Props) {
  const uploads = useUploads(queue);
  const limit = useQuery(serviceFactsQuery).data?.limits.upload_bytes ?? null;
  const plugins = useQuery(pluginsQuery).data ?? [];
  const [wanted, setWanted] = useState<string | null>(null);
  const usable = plugins.filter(isUsable).map(({ name }) => name);
  const [first] = usable;
  // The first usable plugin stays chosen, whatever order later answers have.
  if (wanted === null && first !== undefined) setWanted(first);
  const plugin = usable.find((name) => name === wanted) ?? null;
  const report = useQuery({ ...pluginQuery(plugin ?? ""), enabled: plugin !== null });
  const analysis = useAnalysis(plugin, report.data?.tools ?? []);
  const { submit, opened, setOpened } = useSubmit({ queue, plugin, analysis, onJob });

  const refusalOf = (upload: Upload): string | null => {
    const checked = checkFile(upload.file, limit);
    return checked.refusal === null ? unfitReason(checked.kind, analysis.chosen) : checked.refusal;
  };
  const toSend = uploads.filter((upload) => canSend(upload) && refusalOf(upload) === null);
  const isBusy = uploads.some(isUnderway);
  const blocked = blockedBy({ files: toSend.length, plugin, tools: analysis.chosen.length });
  return (
    <Grid gap="xl">
      <Grid.Col span={{ base: 12, lg: 5 }}>
        <div className={classes.files}>
          <FilesPart
            queue={queue}
            uploads={uploads}
            limit={limit}
            refusalOf={refusalOf}
            onAgain={isBusy || plugin === null || analysis.chosen.length === 0 ? null : (id) => void submit([id])}
          />
        </div>
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 7 }}>
        <Stack gap="xl">
          <Part title={texts.plugins.title}>
            <PluginCards chosen={plugin} onChoose={setWanted} />
          </Part>
          {plugin === null ? null : (
            <ToolsPart plugin={plugin} analysis={analysis} opened={opened} onOpen={setOpened} />
          )}
          <DevicePart device={analysis.device} onChoose={analysis.setDevice} />
          <SubmitBar
            count={toSend.length}
            isBusy={isBusy}
            blocked={blocked}
            isWrong={analysis.isWrong}
            summary={texts.submit.summary(plugin ?? "", analysis.chosen.map(titleOf).join(", "))}
            onSubmit={() => void submit(toSend.map(({ id }) => id))}
          />
        </Stack>
      </Grid.Col>
    </Grid>
  );
}

/** Whether the button sends a file: no one stopped it, and the server did not refuse the file itself. */
function canSend({ state }: Upload): boolean {
  return state.name === "ready" || (state.name === "failed" && !REFUSED_FOR_GOOD.has(state.problem.status));
}

function blockedBy({ files, plugin, tools }: { files: number; plugin: string | null; tools: number }): string | null {
  if (files === 0) return texts.submit.noFile;
  if (plugin === null) return texts.submit.noPlugin;
  return tools === 0 ? texts.submit.noTool : null;
}
