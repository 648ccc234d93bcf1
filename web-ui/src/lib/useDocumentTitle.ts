import { useEffect } from "react";

import { documentTitle } from "./texts";

/** Name the page in the browser's tab more exactly than its route does, such as by a file's name. */
export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = documentTitle(title);
  }, [title]);
}
