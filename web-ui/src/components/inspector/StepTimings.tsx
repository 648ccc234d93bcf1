import { Meter } from "@/components/ui/Meter";
import { msText } from "@/lib/format";

import type { InspectedPlugin } from "./facts";
import classes from "./StepTimings.module.css";

interface Props {
  plugin: string;
  steps: InspectedPlugin["steps"];
  /** The whole bar. */
  slowestMs: number;
}

/** The steps of a plugin in the order of execution, as bars of which the slowest is full. */
export function StepTimings({ plugin, steps, slowestMs }: Props) {
  if (steps.length === 0) return null;
  return (
    <ol className={classes.steps} aria-label={`Execution order of ${plugin}`}>
      {steps.map((step, place) => (
        <li key={step.name}>
          <Meter
            label={`${place + 1}. ${step.name}`}
            ratio={slowestMs === 0 ? 0 : step.ms / slowestMs}
            text={msText(step.ms)}
          />
        </li>
      ))}
    </ol>
  );
}
