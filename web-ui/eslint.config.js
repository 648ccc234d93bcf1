// The walls of the page: app composes features, features never see each other, components and lib see neither.
import js from "@eslint/js";
import { importX } from "eslint-plugin-import-x";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

const FEATURES = ["jobs", "player", "plugins", "realtime", "upload"];

const zones = [
  { target: "./src/lib", from: ["./src/app", "./src/features", "./src/components", "./src/stories"] },
  { target: "./src/components", from: ["./src/app", "./src/features", "./src/stories"] },
  { target: "./src/features", from: ["./src/app", "./src/stories"] },
  ...FEATURES.map((name) => ({ target: `./src/features/${name}`, from: "./src/features", except: [`./${name}`] })),
];

export default tseslint.config(
  { ignores: ["dist", "storybook-static", "node_modules", "src/lib/api.ts", "src/lib/wire.ts", "public"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: {
        projectService: { allowDefaultProject: ["*.js", "*.cjs", "scripts/*.mjs"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { "import-x": importX, "react-hooks": reactHooks },
    settings: { "import-x/resolver": { typescript: true, node: true } },
    rules: {
      ...reactHooks.configs.recommended.rules,
      "import-x/no-restricted-paths": ["error", { zones }],
      "import-x/no-cycle": "error",
      "max-lines": ["error", { max: 200, skipBlankLines: true, skipComments: true }],
      "@typescript-eslint/unified-signatures": "off", // version 8.74.0 crashes on calls with inferred type parameters
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "TSEnumDeclaration", message: "Use a union of literals." },
        { selector: "ExportAllDeclaration", message: "No barrel files." },
        { selector: "JSXAttribute[name.name='style']", message: "Use a CSS module or a theme token." },
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Never." },
      ],
    },
  },
  {
    // Frames have times of their own in a table; a rate says nothing about which frame is shown.
    files: ["src/**/*.{ts,tsx}"],
    rules: {
      "no-restricted-properties": [
        "error",
        { property: "currentTime", message: "Ask the player (features/player) for a frame instead." },
      ],
    },
  },
  { files: ["src/features/player/**"], rules: { "no-restricted-properties": "off" } },
  { files: ["tests/**", "**/*.test.{ts,tsx}", "e2e/**", ".storybook/**"], rules: { "max-lines": ["error", 400] } },
  {
    files: ["e2e/**", "*.ts", "scripts/**", "*.js", "*.cjs"],
    languageOptions: { globals: { ...globals.node } },
  },
  { files: ["*.js", "*.cjs", "scripts/**"], ...tseslint.configs.disableTypeChecked },
);
