import { useLocalStorage } from "@mantine/hooks";

/** What is drawn over a picture. */
export interface DrawChoices {
  boxes: boolean;
  labels: boolean;
  pitch: boolean;
  radar: boolean;
}

const ALL_DRAWN: DrawChoices = { boxes: true, labels: true, pitch: true, radar: true };

/** The reader's choices, kept in this browser. */
export function useDrawChoices(): [DrawChoices, (choices: DrawChoices) => void] {
  const [kept, keep] = useLocalStorage({
    key: "forgesyte.draw",
    defaultValue: ALL_DRAWN,
    getInitialValueInEffect: false,
  });
  return [{ ...ALL_DRAWN, ...kept }, keep];
}
