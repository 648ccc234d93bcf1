import { Accordion, Grid, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { DeviceSelector } from "@/components/controls/DeviceSelector";
import { ProblemPanel } from "@/components/feedback/ProblemPanel";

import { devicesQuery } from "../api/devices";
import { isUsable, pluginQuery, pluginsQuery } from "../api/plugins";
import { serviceFactsQuery } from "../api/serviceFacts";
import { useAnalysis } from "../hooks/useAnalysis";
import { isUnderway, useUploads } from "../hooks/useUploads";
import { checkFile } from "../media/checks";
import { titleOf, unfitReason } from "../media/fit";
import { refusalOf } from "../options/refusal";
import type { Upload, UploadQueue } from "../queue/UploadQueue";
import { texts } from "../texts";
import classes from "./Analyze.module.css";
import { FilesPart } from "./FilesPart";
import { optionId } from "./OptionField";
import { OptionsForm } from "./OptionsForm";
import { Part } from "./Part";
import { PluginCards } from "./PluginCards";
import { SubmitBar } from "./SubmitBar";
import { ToolCards } from "./ToolCards";

interface Props {
  queue: UploadQueue;
  /** Called when the only chosen file became a job. */
  onJob: (jobId: string) => void;
}

/** Choose files, a plugin, its tools and their options, and send them. */
export function Analyze({ queue, onJob }: Props) {
  const uploads = useUploads(queue);
  const facts = useQuery(serviceFactsQuery);
  const plugins = useQuery(pluginsQuery);
  const devices = useQuery(devicesQuery);
  const [wanted, setWanted] = useState<string | null>(null);
  const plugin = (plugins.data ?? []).filter(isUsable).find(({ name }) => wanted === null || name === wanted) ?? null;
  const report = useQuery({ ...pluginQuery(plugin?.name ?? ""), enabled: plugin !== null });
  const analysis = useAnalysis(plugin?.name ?? null, report.data?.tools ?? []);
  const [opened, setOpened] = useState<string[]>([]);
  const [wrongField, setWrongField] = useState<string | null>(null);
  const isMounted = useIsMounted();
  useEffect(() => {
    if (wrongField !== null) document.getElementById(wrongField)?.focus();
  }, [wrongField]);

  const limit = facts.data?.limits.upload_bytes ?? null;
  const refusal = (upload: Upload): string | null => {
    const checked = checkFile(upload.file, limit);
    return checked.refusal === null ? unfitReason(checked.kind, analysis.chosen) : checked.refusal;
  };
  const toSend = uploads.filter((upload) => canSend(upload) && refusal(upload) === null);
  const hasNoGpu = devices.data !== undefined && !devices.data.some((device) => device.kind === "gpu");

  const openAt = (tool: string, key: string | null) => {
    setOpened((tools) => [...new Set([...tools, tool])]);
    setWrongField(key === null ? null : optionId(tool, key));
  };
  const submit = async () => {
    analysis.tried();
    setWrongField(null);
    if (plugin === null) return;
    const wrong = analysis.forms.find(({ tool }) => tool === analysis.wrongTool);
    if (wrong !== undefined) {
      openAt(wrong.tool, Object.keys(wrong.errors)[0] ?? null);
      return;
    }
    analysis.refuse(null);
    const { options, device, chosen, forms } = analysis;
    const ended = await queue.start(
      toSend.map(({ id }) => id),
      { plugin: plugin.name, tools: chosen.map(({ name }) => name), options, device },
    );
    const [only] = ended;
    if (!isMounted.current || only === undefined) return;
    if (only.state.name === "accepted" && queue.snapshot().length === 1) {
      queue.remove(only.id);
      onJob(only.state.jobId);
    }
    const fields = Object.fromEntries(forms.map((form) => [form.tool, form.fields]));
    const said = ended.flatMap(({ state }) =>
      state.name === "failed" ? (refusalOf(state.problem, fields) ?? []) : [],
    )[0];
    if (said === undefined) return;
    analysis.refuse(said);
    openAt(said.tool, said.key);
  };

  const blocked =
    toSend.length === 0
      ? texts.submit.noFile
      : plugin === null
        ? texts.submit.noPlugin
        : analysis.chosen.length === 0
          ? texts.submit.noTool
          : null;
  return (
    <Grid gap="xl">
      <Grid.Col span={{ base: 12, lg: 5 }}>
        <div className={classes.files}>
          <FilesPart queue={queue} uploads={uploads} limit={limit} refusalOf={refusal} />
        </div>
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 7 }}>
        <Stack gap="xl">
          <Part title={texts.plugins.title}>
            <PluginCards chosen={plugin?.name ?? null} onChoose={setWanted} />
          </Part>
          {plugin === null ? null : (
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
          )}
          {analysis.forms.length === 0 ? null : (
            <Part title={texts.options.title}>
              <Accordion multiple variant="separated" order={3} value={opened} onChange={setOpened}>
                {analysis.forms.map((form) => (
                  <OptionsForm key={form.tool} form={form} onDraft={analysis.draft} onReset={analysis.reset} />
                ))}
              </Accordion>
            </Part>
          )}
          <Part title={texts.device.title}>
            <div className={classes.device}>
              <DeviceSelector
                value={analysis.device}
                onChange={analysis.setDevice}
                unavailable={hasNoGpu ? ["gpu"] : []}
              />
              {hasNoGpu ? (
                <Text size="xs" c="dimmed">
                  {texts.device.noGpu}
                </Text>
              ) : null}
            </div>
          </Part>
          <SubmitBar
            count={toSend.length}
            isBusy={uploads.some(isUnderway)}
            blocked={blocked}
            summary={plugin === null ? "" : texts.submit.summary(plugin.name, analysis.chosen.map(titleOf).join(", "))}
            onSubmit={() => void submit()}
          />
        </Stack>
      </Grid.Col>
    </Grid>
  );
}

function canSend({ state }: Upload): boolean {
  return state.name === "ready" || state.name === "failed" || state.name === "cancelled";
}

function useIsMounted() {
  const isMounted = useRef(true);
  useEffect(() => {
    isMounted.current = true;
    return () => {
      isMounted.current = false;
    };
  }, []);
  return isMounted;
}
