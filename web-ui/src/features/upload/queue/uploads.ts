import { sendMedia } from "../api/sendMedia";
import { UploadQueue } from "./UploadQueue";

/** The uploads of this page. They go on while the reader looks at another page of it. */
export const uploads = new UploadQueue(sendMedia);
