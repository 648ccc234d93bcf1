import { ActionIcon, Button, Group, Progress, Text, ThemeIcon } from "@mantine/core";
import { IconFile, IconMovie, IconPhoto, IconX } from "@tabler/icons-react";
import { Link } from "react-router";

import { bytesText } from "@/lib/format";

import { isUnderway } from "../hooks/useUploads";
import { kindOf } from "../media/checks";
import type { Upload } from "../queue/UploadQueue";
import { texts } from "../texts";
import classes from "./UploadList.module.css";

interface Props {
  upload: Upload;
  refusal: string | null;
  /** Sends a cancelled file after all; null while nothing can be sent. */
  onAgain: ((id: number) => void) | null;
  onCancel: (id: number) => void;
  onRemove: (id: number) => void;
}

/** One chosen file: its name, how far it has come, and what became of it. */
export function UploadRow({ upload, refusal, onAgain, onCancel, onRemove }: Props) {
  const { file, id, state } = upload;
  const said = state.name === "failed" ? state.problem : null;
  const shown = refusal === null || state.name === "accepted" ? state.name : "refused";
  const act = isUnderway(upload) ? texts.act.cancel(file.name) : texts.act.remove(file.name);
  return (
    <li className={classes.row} data-state={shown}>
      <Group gap="sm" wrap="nowrap">
        <KindIcon file={file} />
        <div className={classes.name}>
          <Text size="sm" fw={600} truncate title={file.name}>
            {file.name}
          </Text>
          <Text size="xs" c="dimmed" role="status">
            {bytesText(file.size)} · {stateText(upload, shown === "refused")}
          </Text>
        </div>
        {state.name === "accepted" ? (
          <Button component={Link} to={`/jobs/${state.jobId}`} size="compact-sm" variant="light">
            {texts.act.open}
          </Button>
        ) : null}
        {shown === "cancelled" && onAgain !== null ? (
          <Button
            size="compact-sm"
            variant="light"
            aria-label={texts.act.againOf(file.name)}
            onClick={() => onAgain(id)}
          >
            {texts.act.again}
          </Button>
        ) : null}
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={act}
          title={act}
          onClick={() => (isUnderway(upload) ? onCancel(id) : onRemove(id))}
        >
          <IconX size={16} aria-hidden />
        </ActionIcon>
      </Group>
      {state.name === "sending" ? (
        <Progress.Root size="sm" mt="xs">
          <Progress.Section
            value={(100 * state.sentBytes) / Math.max(1, file.size)}
            animated={state.sentBytes >= file.size}
            aria-label={texts.act.progress(file.name)}
          />
        </Progress.Root>
      ) : null}
      {shown === "refused" || said !== null ? (
        <Text size="sm" mt={4} className={classes.problem} role="alert">
          {said === null || shown === "refused" ? refusal : `${said.title}: ${said.detail}`}
        </Text>
      ) : null}
    </li>
  );
}

function KindIcon({ file }: { file: File }) {
  const kind = kindOf(file);
  const Icon = kind === "video" ? IconMovie : kind === "image" ? IconPhoto : IconFile;
  return (
    <ThemeIcon variant="light" color={kind === null ? "gray" : undefined} className={classes.kind}>
      <Icon size={18} aria-hidden />
    </ThemeIcon>
  );
}

function stateText({ file, state }: Upload, isRefused: boolean): string {
  if (isRefused) return texts.state.refused;
  if (state.name === "failed" && state.problem.status === 0) return texts.state.notReached;
  if (state.name !== "sending") return texts.state[state.name];
  return state.sentBytes >= file.size
    ? texts.state.probing
    : texts.state.sending(bytesText(state.sentBytes), bytesText(file.size));
}
