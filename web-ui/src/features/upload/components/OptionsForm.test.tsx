import { Accordion } from "@mantine/core";
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";

import { renderAt } from "../../../../tests/support/render";
import { type Drafts, readDrafts } from "../options/drafts";
import { fieldsOf } from "../options/fields";
import { OptionsForm } from "./OptionsForm";

const FIELDS = fieldsOf({
  type: "object",
  required: ["camera"],
  properties: {
    max_speed: { type: "integer", title: "Top speed", unit: "km/h", minimum: 0, maximum: 300, examples: [50] },
    camera: { type: "string", description: "Which one." },
    shadows: { type: "boolean", default: true },
    mirrored: { type: "boolean" },
    colour: { enum: ["red", "blue"], default: "red" },
    sizes: { type: "array", items: { type: "integer" } },
    limit: { anyOf: [{ type: "number" }, { type: "null" }], default: 3 },
    zone: { type: "object", title: "Zone", properties: { left: { type: "integer" } } },
    weights: { type: "object", additionalProperties: { type: "number" } },
  },
});

function Form() {
  const [drafts, setDrafts] = useState<Drafts>({});
  const { options, errors } = readDrafts(FIELDS, drafts);
  return (
    <>
      <Accordion multiple value={["t"]} transitionDuration={0}>
        <OptionsForm
          form={{ tool: "t", title: "Tool", fields: FIELDS, drafts, errors, said: null }}
          onDraft={(_, key, draft) =>
            setDrafts((all) => {
              const rest = Object.entries(all).filter(([other]) => other !== key);
              return Object.fromEntries(draft === undefined ? rest : [...rest, [key, draft]]);
            })
          }
          onReset={() => setDrafts({})}
        />
      </Accordion>
      <output>{JSON.stringify(options)}</output>
    </>
  );
}

function sent(): unknown {
  return JSON.parse(screen.getAllByRole("status").at(-1)?.textContent ?? "null");
}

function renderForm() {
  renderAt("/", <Form />);
  return userEvent.setup();
}

test("every kind of option has its control, and together they are what is sent", async () => {
  const user = renderForm();

  await user.type(screen.getByRole("textbox", { name: "Top speed (km/h)" }), "80");
  await user.type(screen.getByRole("textbox", { name: "Camera" }), "yard");
  await user.click(screen.getByRole("switch", { name: "Shadows" }));
  await user.selectOptions(screen.getByRole("combobox", { name: "Mirrored" }), "on");
  await user.selectOptions(screen.getByRole("combobox", { name: "Colour" }), "blue");
  await user.type(screen.getByRole("combobox", { name: "Sizes" }), "3{Enter}5{Enter}");
  await user.click(screen.getByRole("checkbox", { name: "Limit: No value" }));
  await user.type(screen.getByRole("textbox", { name: "Left" }), "7");
  await user.click(screen.getByRole("textbox", { name: "Weights" }));
  await user.paste('{"car": 0.5}');

  expect(sent()).toEqual({
    max_speed: 80,
    camera: "yard",
    shadows: false,
    mirrored: true,
    colour: "blue",
    sizes: [3, 5],
    limit: null,
    zone: { left: 7 },
    weights: { car: 0.5 },
  });
});

test("unit, range, example, default and description stand at the option", () => {
  renderForm();

  expect(screen.getByText("0 to 300 · for example 50")).toBeInTheDocument();
  expect(screen.getByText("Which one.")).toBeInTheDocument();
  expect(screen.getByText("Default on")).toBeInTheDocument();
});

test("what is missing is marked, and the defaults come back at a press", async () => {
  const user = renderForm();
  expect(screen.getByText("This option must be given.")).toBeInTheDocument();

  await user.type(screen.getByRole("textbox", { name: "Camera" }), "yard");
  expect(screen.queryByText("This option must be given.")).not.toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Back to the defaults" }));

  expect(sent()).toEqual({});
});

test("a slider sets the number too", async () => {
  const user = renderForm();

  screen.getByRole("slider", { name: "Top speed (km/h), slider" }).focus();
  await user.keyboard("{ArrowRight}");

  expect(sent()).toEqual({ max_speed: 1 });
});
