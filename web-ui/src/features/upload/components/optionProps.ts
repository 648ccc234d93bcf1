/** What every control of an option takes. */
export interface ControlProps {
  id: string;
  label: string;
  description: string;
  required: boolean;
  error: string | undefined;
  disabled: boolean;
}
