import { type RefObject, useEffect, useRef, useState } from "react";

import type { Upload, UploadQueue } from "../queue/UploadQueue";
import { optionId } from "../components/OptionField";
import { refusalOf } from "../options/refusal";
import type { useAnalysis } from "./useAnalysis";

interface Props {
  queue: UploadQueue;
  plugin: string | null;
  analysis: ReturnType<typeof useAnalysis>;
  /** Called when the only chosen file became a job. */
  onJob: (jobId: string) => void;
}

/** Sends files, and brings what is wrong with the options to the reader's eyes: the tool's form opens, the field has the focus. */
export function useSubmit({ queue, plugin, analysis, onJob }: Props) {
  const [opened, setOpened] = useState<string[]>([]);
  const [wrongField, setWrongField] = useState<string | null>(null);
  const isMounted = useIsMounted();
  useEffect(() => {
    if (wrongField !== null) document.getElementById(wrongField)?.focus();
  }, [wrongField]);

  const openAt = (tool: string, key: string | null) => {
    setOpened((tools) => [...new Set([...tools, tool])]);
    setWrongField(key === null ? null : optionId(tool, key));
  };
  const follow = (ended: readonly Upload[]) => {
    const [only] = ended;
    if (only?.state.name === "accepted" && queue.snapshot().length === 1) {
      queue.remove(only.id);
      onJob(only.state.jobId);
    }
    const fields = Object.fromEntries(analysis.forms.map((form) => [form.tool, form.fields]));
    for (const { state } of ended) {
      const said = state.name === "failed" ? refusalOf(state.problem, fields) : null;
      if (said === null) continue;
      analysis.refuse(said);
      openAt(said.tool, said.key);
      return;
    }
  };
  const submit = async (ids: readonly number[]) => {
    analysis.tried();
    setWrongField(null);
    if (plugin === null) return;
    if (analysis.wrong !== null) {
      openAt(analysis.wrong.tool, analysis.wrong.key);
      return;
    }
    analysis.refuse(null);
    const { options, device, chosen } = analysis;
    const ended = await queue.start(ids, { plugin, tools: chosen.map(({ name }) => name), options, device });
    if (isMounted.current) follow(ended);
  };
  return { submit, opened, setOpened };
}

function useIsMounted(): RefObject<boolean> {
  const isMounted = useRef(true);
  useEffect(() => {
    isMounted.current = true;
    return () => {
      isMounted.current = false;
    };
  }, []);
  return isMounted;
}
