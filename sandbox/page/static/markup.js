// Text as people write it, and as models do, into templates: lit-html escapes every piece, and only http(s) is a link.

import { html, nothing } from './vendor/lit-html/lit-html.js';

const DEEPEST = 6;
const LONGEST = 20000; // characters; a text that is longer is shown as it is
const ESCAPES = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };
const EMOJI = {
  eyes: '👀', white_check_mark: '✅', thumbsup: '👍', '+1': '👍', thumbsdown: '👎', '-1': '👎', mute: '🔇', hourglass: '⌛',
  hourglass_flowing_sand: '⏳', warning: '⚠️', x: '❌', heart: '❤️', tada: '🎉', thread: '🧵', speech_balloon: '💬',
  no_bell: '🔕', bell: '🔔', zap: '⚡', wave: '👋', thinking_face: '🤔', pray: '🙏', rocket: '🚀', fire: '🔥', stop_sign: '🛑',
};

export const emoji = (name) => EMOJI[name] ?? `:${name}:`;

export function link(url, words) {
  if (!/^https?:\/\/[^\s]+$/i.test(url)) return words;
  return html`<a href=${url} target="_blank" rel="noreferrer noopener">${words}</a>`;
}

const chip = (words) => html`<span class="chip">${words}</span>`;
const pre = (words) => html`<pre tabindex="0"><code>${words}</code></pre>`;

/** *rules* are [pattern, make(found, inner, names)]; the one that fits first is taken, then the rest of the text. */
function inline(text, rules, names, depth = 0) {
  if (!text || depth > DEEPEST || text.length > LONGEST) return rules.leaf(text);
  const next = [];
  const parts = [];
  let at = 0;
  for (;;) {
    let best = null;
    let chosen = null;
    rules.forEach(([pattern, make], index) => {
      if (next[index] === undefined || (next[index] && next[index].index < at)) {
        pattern.lastIndex = at;
        next[index] = pattern.exec(text);
      }
      if (next[index] && (!best || next[index].index < best.index)) [best, chosen] = [next[index], make];
    });
    if (!best) break;
    if (best.index > at) parts.push(rules.leaf(text.slice(at, best.index)));
    parts.push(chosen(best, (inner) => inline(inner, rules, names, depth + 1), names));
    at = best.index + best[0].length;
  }
  if (at < text.length) parts.push(rules.leaf(text.slice(at)));
  return parts;
}

const MARKDOWN = [
  [/\\([\\`*_~|>#[\]()<@:-])/g, (found) => found[1]],
  [/(`+)([\s\S]+?)\1(?!`)/g, (found) => html`<code>${found[2].trim() || found[2]}</code>`],
  [/\|\|([\s\S]{1,2000}?)\|\|/g, (found, inner) => html`<details class="spoiler"><summary>Spoiler</summary>${inner(found[1])}</details>`],
  [/\*\*\*(?=\S)([\s\S]{1,4000}?)\*\*\*/g, (found, inner) => html`<strong><em>${inner(found[1])}</em></strong>`],
  [/\*\*(?=\S)([\s\S]{1,4000}?)\*\*(?!\*)/g, (found, inner) => html`<strong>${inner(found[1])}</strong>`],
  [/__(?=\S)([\s\S]{1,4000}?)__(?!_)/g, (found, inner) => html`<u>${inner(found[1])}</u>`],
  [/~~(?=\S)([\s\S]{1,4000}?)~~/g, (found, inner) => html`<s>${inner(found[1])}</s>`],
  [/\*(?=[^\s*])([^*]{1,2000}?)\*(?!\*)/g, (found, inner) => html`<em>${inner(found[1])}</em>`],
  [/(?<![\p{L}\p{N}_])_(?=[^\s_])([^_]{1,2000}?)_(?![\p{L}\p{N}_])/gu, (found, inner) => html`<em>${inner(found[1])}</em>`],
  [/\[([^[\]\n]{1,500})\]\(<?(https?:\/\/[^\s<>()]+(?:\([^\s()]*\)[^\s<>()]*)*)>?(?: "[^"\n]*")?\)/g, (found, inner) => link(found[2], inner(found[1]))],
  [/<(https?:\/\/[^\s<>]+)>/g, (found) => link(found[1], found[1])],
  [/https?:\/\/[^\s<>]*[^\s<>"'.,:;!?)\]*_~|]/g, (found) => link(found[0], found[0])],
  [/<(?:@[!&]?|#)\d+>/g, (found, _, names) => chip(names(found[0]) ?? found[0])],
  [/<\/([^:<>]{1,80}):\d+>/g, (found) => chip(`/${found[1]}`)],
  [/<a?:(\w{2,32}):\d+>/g, (found) => `:${found[1]}:`],
  [/<t:(\d{1,12})(?::[tTdDfFR])?>/g, (found) => chip(new Date(Number(found[1]) * 1000).toLocaleString())],
  [/@(?:everyone|here)\b/g, (found) => chip(found[0])],
];
MARKDOWN.leaf = (text) => text;

const unescape = (text) => text.replace(/&(?:lt|gt|amp);/g, (found) => ESCAPES[found]);
const MRKDWN = [
  [/```([\s\S]+?)```/g, (found) => pre(unescape(found[1].replace(/^\n|\n$/g, '')))],
  [/`([^`\n]+)`/g, (found) => html`<code>${unescape(found[1])}</code>`],
  [/<(@[A-Z0-9]+)(?:\|([^<>]*))?>/g, (found, _, names) => chip(names(found[1]) ?? found[2] ?? found[1])],
  [/<#([A-Z0-9]+)(?:\|([^<>]*))?>/g, (found, _, names) => chip(names(`#${found[1]}`) ?? `#${found[2] ?? found[1]}`)],
  [/<!(?:subteam\^)?([^<>|]+)(?:\|([^<>]*))?>/g, (found) => chip(unescape(found[2] || `@${found[1]}`))],
  [/<((?:https?|mailto|tel):[^<>|]+)(?:\|([^<>]*))?>/g, (found) => link(unescape(found[1]), unescape(found[2] || found[1]))],
  [/(?<![\p{L}\p{N}*])\*(?=\S)([^*\n]{1,2000}?)\*(?![\p{L}\p{N}*])/gu, (found, inner) => html`<strong>${inner(found[1])}</strong>`],
  [/(?<![\p{L}\p{N}_])_(?=\S)([^_\n]{1,2000}?)_(?![\p{L}\p{N}_])/gu, (found, inner) => html`<em>${inner(found[1])}</em>`],
  [/(?<![\p{L}\p{N}~])~(?=\S)([^~\n]{1,2000}?)~(?![\p{L}\p{N}~])/gu, (found, inner) => html`<s>${inner(found[1])}</s>`],
  [/:([a-z0-9_+-]{2,40}):/g, (found) => emoji(found[1])],
];
MRKDWN.leaf = unescape;

/** Slack's own markup. *names* tells what people see for an id. */
export function mrkdwn(text, names) {
  return html`<div class="text" dir="auto">${groups(text, /^(?:&gt;|>) ?/).map(([quoted, lines]) => quoted
    ? html`<blockquote>${inline(lines, MRKDWN, names)}</blockquote>` : inline(lines, MRKDWN, names))}</div>`;
}

function groups(text, mark) {
  const found = [];
  for (const line of text.split('\n')) {
    const quoted = mark.test(line);
    const bare = quoted ? line.replace(mark, '') : line;
    const last = found.at(-1);
    if (last && last[0] === quoted) last[1] += `\n${bare}`; else found.push([quoted, bare]);
  }
  return found;
}

/** Markdown, as Discord reads it and as Slack's blocks of that name do. */
export function markdown(text, names) {
  const lines = text.split('\n');
  const parts = [];
  for (let at = 0; at < lines.length;) at = block(lines, at, parts, names);
  return html`<div class="text" dir="auto">${parts}</div>`;
}

function block(lines, at, parts, names) {
  const line = lines[at];
  const say = (words) => inline(words, MARKDOWN, names);
  const fence = line.match(/^\s*(`{3,})(.*)$/);
  if (fence) {
    let end = at + 1;
    while (end < lines.length && !lines[end].trim().startsWith(fence[1])) end += 1;
    parts.push(pre(lines.slice(at + 1, end).join('\n')));
    return end + 1;
  }
  const heading = line.match(/^(#{1,6}) +(.+)$/);
  if (heading) {
    parts.push(html`<p class="heading h${Math.min(heading[1].length, 3)}">${say(heading[2])}</p>`);
    return at + 1;
  }
  if (/^-# +/.test(line)) {
    parts.push(html`<p class="small">${say(line.replace(/^-# +/, ''))}</p>`);
    return at + 1;
  }
  if (/^ *(?:-{3,}|\*{3,}|_{3,}) *$/.test(line)) {
    parts.push(html`<hr>`);
    return at + 1;
  }
  if (/^>>> /.test(line)) {
    parts.push(html`<blockquote>${say([line.slice(4), ...lines.slice(at + 1)].join('\n'))}</blockquote>`);
    return lines.length;
  }
  for (const [mark, make] of [
    [/^> ?/, (rows) => html`<blockquote>${say(rows.map((row) => row.replace(/^> ?/, '')).join('\n'))}</blockquote>`],
    [/^\s*(?:[-*+•]|\d{1,4}[.)]) +/, (rows) => list(rows, say)],
    [/^\|.*\|\s*$/, (rows) => table(rows, say)],
  ]) {
    if (!mark.test(line)) continue;
    let end = at + 1;
    while (end < lines.length && mark.test(lines[end])) end += 1;
    parts.push(make(lines.slice(at, end)));
    return end;
  }
  let end = at + 1;
  while (end < lines.length && !/^(?:\s*`{3}|#{1,6} |-# |>|\s*(?:[-*+•]|\d{1,4}[.)]) |\|.*\|\s*$)/.test(lines[end])) end += 1;
  const words = lines.slice(at, end).join('\n');
  if (words.trim()) parts.push(html`<p>${say(words.replace(/^\n+|\n+$/g, ''))}</p>`);
  return end;
}

function list(rows, say) {
  return html`<ul class="marked">${rows.map((row) => {
    const found = row.match(/^(\s*)([-*+•]|\d{1,4}[.)]) +(.*)$/);
    const deep = Math.min(Math.floor(found[1].length / 2), 4);
    return html`<li class="deep${deep}"><span class="mark">${/\d/.test(found[2]) ? found[2] : '•'}</span><span>${say(found[3])}</span></li>`;
  })}</ul>`;
}

function table(rows, say) {
  const cells = (row) => row.trim().replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim());
  const body = rows.filter((row, index) => !(index === 1 && /^[\s|:-]+$/.test(row))).map(cells);
  return grid(body.map((row) => row.map(say)));
}

/** A table of cells that are templates already; the first row is the head. */
export function grid([head, ...body]) {
  return html`<div class="wide" tabindex="0"><table><thead><tr>${head?.map((cell) => html`<th scope="col">${cell}</th>`) ?? nothing}</tr></thead>
    <tbody>${body.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}
