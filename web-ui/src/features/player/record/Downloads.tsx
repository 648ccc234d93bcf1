import { Button, Group, Progress, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import { ProblemPanel } from "@/components/feedback/ProblemPanel";
import { withApiKey } from "@/lib/apiKey";

import { resultAddress, useAnnotatedVideo } from "../api/downloads";
import type { JobFacts } from "../api/record";
import { texts } from "../texts";
import { Section } from "./Section";

const PLAIN = ["json", "jsonl", "csv"] as const;
const ICON = <IconDownload size={14} aria-hidden />;

/** The result in every form, and the file that was submitted. */
export function Downloads({ job }: { job: JobFacts }) {
  const id = job.job_id;
  const name = (job.filename ?? id).replace(/\.[^.]*$/, "");
  const input = withApiKey(`/v1/jobs/${id}/input`);
  return (
    <Section title={texts.downloads.title}>
      <Group gap="xs">
        {PLAIN.map((format) => (
          <Button
            key={format}
            component="a"
            href={resultAddress(id, format)}
            download={`${name}.${format}`}
            variant="default"
            size="xs"
            leftSection={ICON}
          >
            {texts.downloads[format]}
          </Button>
        ))}
        <Button component="a" href={input} download={job.filename ?? id} variant="default" size="xs" leftSection={ICON}>
          {texts.downloads.input}
        </Button>
        {job.job_type.startsWith("image") ? null : <AnnotatedVideo jobId={id} name={`${name}-annotated.mp4`} />}
      </Group>
    </Section>
  );
}

/** The annotated video: drawn when it is first wanted, then saved. */
function AnnotatedVideo({ jobId, name }: { jobId: string; name: string }) {
  const [isWanted, setWanted] = useState(false);
  const video = useAnnotatedVideo(jobId, isWanted);
  const link = useRef<HTMLAnchorElement>(null);
  const isThere = video.data?.state === "ready";
  useEffect(() => {
    if (isWanted && isThere) link.current?.click();
  }, [isWanted, isThere]);
  const progress = video.data?.state === "making" ? video.data.progress : null;

  if (isThere) {
    return (
      <Button
        component="a"
        ref={link}
        href={resultAddress(jobId, "mp4")}
        download={name}
        variant="default"
        size="xs"
        leftSection={ICON}
      >
        {texts.downloads.mp4}
      </Button>
    );
  }
  if (video.error !== null) return <ProblemPanel error={video.error} onRetry={() => void video.refetch()} />;
  return (
    <Stack gap={4} w={isWanted ? "100%" : undefined}>
      <Button variant="default" size="xs" leftSection={ICON} loading={isWanted} onClick={() => setWanted(true)}>
        {texts.downloads.mp4}
      </Button>
      {isWanted ? (
        <div role="status">
          <Text size="xs" c="dimmed">
            {texts.downloads.drawing}
            {progress === null ? "" : ` · ${progress}%`}
          </Text>
          <Progress value={progress ?? 100} animated size="sm" aria-label={texts.downloads.drawing} />
        </div>
      ) : null}
    </Stack>
  );
}
