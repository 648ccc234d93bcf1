/** What a service answers when it refuses: a problem document (RFC 9457), or what could be made of something else. */
export interface Problem {
  status: number;
  title: string;
  detail: string;
  code: string;
  errors?: { loc?: (string | number)[]; msg?: string }[];
}

/** A refused or failed request. */
export class RequestFailed extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = "RequestFailed";
  }
}

/** The code of a request that never reached a service. */
export const UNREACHABLE = "UNREACHABLE";

/** Read a problem out of an answer's body. */
export function problemOf(status: number, body: unknown): Problem {
  const given = (typeof body === "object" && body !== null ? body : {}) as Partial<Problem>;
  return {
    status,
    title: given.title ?? `The server answered ${status}`,
    detail: typeof given.detail === "string" ? given.detail : "It gave no reason. Try again shortly.",
    code: given.code ?? "INTERNAL",
    ...(Array.isArray(given.errors) ? { errors: given.errors } : {}),
  };
}

/** Turn anything thrown into a problem that a person can read. */
export function asProblem(error: unknown): Problem {
  if (error instanceof RequestFailed) return error.problem;
  return {
    status: 0,
    title: "The server cannot be reached",
    detail: "Check that it is running, and your connection.",
    code: UNREACHABLE,
  };
}
