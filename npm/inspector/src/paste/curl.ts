// Reads the request of a curl command, as browsers copy it.

export interface Command {
  readonly method: string;
  readonly target: string;
  /** One per line. */
  readonly headers: string;
}

/** The request; `undefined` if the text is no curl command with a URL. Headers that contain the token are left out: the page adds it. */
export function readCurl(text: string, token: string): Command | undefined {
  if (!/^\s*(\$ *)?curl(\.exe)?\s/.test(text)) return undefined;
  const words = split(text.replace(/^\s*\$ */, "")).slice(1);
  let [method, target] = ["", ""];
  let hasBody = false;
  const headers: string[] = [];
  while (words.length > 0) {
    const [option, value] = next(words);
    if (option === "") target ||= value;
    else if (option === "-X" || option === "--request") method = value;
    else if (option === "-H" || option === "--header") headers.push(value);
    else if (option === "-b" || option === "--cookie") headers.push(`cookie: ${value}`);
    else if (option === "-I" || option === "--head") method ||= "HEAD";
    else if (/^(-d|-F|--data.*|--json|--form)$/.test(option)) hasBody = true;
  }
  if (target === "") return undefined;
  const others = headers.filter((header) => token === "" || !header.includes(token));
  return { method: method || (hasBody ? "POST" : "GET"), target: /^https?:/.test(target) || target.startsWith("/") ? target : `http://${target}`, headers: others.join("\n") };
}

/** Options without a value. */
const ALONE = /^(-[sSkLvifgGI#]+|--(compressed|silent|insecure|location|verbose|include|fail|globoff|get|head|show-error|http[\d.]+))$/;

/** Takes the next option with its value, or an argument as the value of the option "". */
function next(words: string[]): [option: string, value: string] {
  const word = words.shift() ?? "";
  if (!word.startsWith("-") || word === "-") return ["", word];
  if (ALONE.test(word)) return [word, ""];
  const [, name, joined] = /^(--[\w-]+)=([^]*)$/.exec(word) ?? /^(-[XHbdF])([^]+)$/.exec(word) ?? [];
  return name === undefined ? [word, words.shift() ?? ""] : [name, joined ?? ""];
}

/** Splits into words as a shell does, without variables. */
function split(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(/(?:\\[^]|\$?'[^']*'|"(?:\\[^]|[^"\\])*"|[^\s\\'"])+|\\$/g)) {
    const bare = word.replace(/\\\r?\n|\\([^])|\$?'([^']*)'|"((?:\\[^]|[^"\\])*)"/g, (_, escaped, single, double) => escaped ?? single ?? double?.replace(/\\([^])/g, "$1") ?? "");
    if (bare !== "") words.push(bare);
  }
  return words;
}
