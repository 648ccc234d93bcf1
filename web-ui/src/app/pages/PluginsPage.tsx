import { PluginsScreen } from "@/features/plugins/components/PluginsScreen";
import { texts } from "@/lib/texts";

/** Plugins. */
export function PluginsPage() {
  return <PluginsScreen title={texts.pages.plugins} />;
}
