// The public API of the package: every item that its entries export, and every type that these name. `node api.mjs --renew` writes it to package/api.txt.

import { readFileSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const folder = fileURLToPath(new URL("node_modules/countersign/", import.meta.url));
const committed = new URL("../package/api.txt", import.meta.url);

export const RENEW = "cd npm/tests && node api.mjs --renew";
export const known = () => readFileSync(committed, "utf8");

/** The API as text: the names of each entry, then the declarations without comments, in the order of their names. */
export function api() {
  const { exports } = JSON.parse(readFileSync(`${folder}package.json`, "utf8"));
  const files = Object.entries(exports).flatMap(([name, entry]) => declarationFiles(entry).map((file) => ({ name, file: `${folder}${file}` })));
  const program = ts.createProgram(files.map(({ file }) => file), { module: ts.ModuleKind.NodeNext, strict: true, types: [], lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"] });
  const checker = program.getTypeChecker();
  const declarations = new Map();
  const lines = new Set();
  for (const { name, file } of files) {
    const source = program.getSourceFile(file);
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(source));
    lines.add(`${name === "." ? "countersign" : `countersign${name.slice(1)}`}: ${exported.map((symbol) => symbol.name).sort().join(", ")}`);
    for (const symbol of exported) add(symbol);
    // What an entry adds to the types of a framework.
    for (const statement of source.statements) if (ts.isModuleDeclaration(statement)) declarations.set(print(statement), statement.name.text);
  }
  const sorted = [...declarations].sort(([a, nameA], [b, nameB]) => (nameA === nameB ? compare(a, b) : compare(nameA, nameB)));
  return `${[...lines].sort().join("\n")}\n\n${sorted.map(([text]) => text).join("\n\n")}\n`;

  function add(symbol) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    for (const declaration of target.declarations ?? []) {
      if (!declaration.getSourceFile().fileName.startsWith(folder) || ts.isSourceFile(declaration) || ts.isTypeParameterDeclaration(declaration)) continue;
      const whole = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
      // Members of a type are printed with the type.
      if (!ts.isSourceFile(whole.parent) || declarations.has(print(whole))) continue;
      declarations.set(print(whole), target.name);
      whole.forEachChild(function visit(node) {
        const named = ts.isIdentifier(node) && checker.getSymbolAtLocation(node);
        if (named) add(named);
        node.forEachChild(visit);
      });
    }
  }
}

/** The declaration files of an entry, for each of its conditions. */
function declarationFiles(entry) {
  if (typeof entry === "string") return [];
  return Object.entries(entry).flatMap(([condition, value]) => (condition === "types" ? [value] : declarationFiles(value)));
}

const printer = ts.createPrinter({ removeComments: true });

function print(node) {
  return printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile());
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

if (argv[1] === fileURLToPath(import.meta.url) && argv[2] === "--renew") writeFileSync(committed, api());
