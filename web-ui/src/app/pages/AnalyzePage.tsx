import { Container, Text, Title } from "@mantine/core";
import { useNavigate } from "react-router";

import { Analyze } from "@/features/upload/components/Analyze";
import { uploads } from "@/features/upload/queue/uploads";
import { texts as uploadTexts } from "@/features/upload/texts";
import { texts } from "@/lib/texts";

/** Analyze: send files to a plugin. */
export function AnalyzePage() {
  const navigate = useNavigate();
  return (
    <Container size={1400} px={0}>
      <Title order={1}>{texts.pages.analyze}</Title>
      <Text c="dimmed" mb="lg">
        {uploadTexts.lead}
      </Text>
      <Analyze queue={uploads} onJob={(jobId) => void navigate(`/jobs/${jobId}`)} />
    </Container>
  );
}
