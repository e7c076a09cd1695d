// What goes on inside the bot: six switches, a lane for each turn, and the raw log, folded.

import { html, nothing, svg } from './vendor/lit-html/lit-html.js';
import { repeat } from './vendor/lit-html/directives/repeat.js';
import { guard } from './vendor/lit-html/directives/guard.js';
import { all, announce, attempt, one, paint, person, ui } from './store.js';

const LANES = 20;
const SWITCHES = [
  ['down', 'AI service down', 'It refuses every question until you switch it on again: the bot tries again, says so, and goes on by itself.', true],
  ['cut', 'Cut the next answer', 'It breaks off in the middle: the bot asks once more, and the same message goes on.', true],
  ['amnesia', 'AI service forgets', 'It knows no conversation any more: the bot retells what was said in the thread.', false],
  ['limit', 'Platforms say 429', 'Both refuse what the bot writes for five seconds: it waits, and loses nothing.', false],
  ['redeliver', 'Everything comes again', 'Each event comes three times: each question is answered once all the same.', true],
];
const NAMES = { slack: 'Slack', discord: 'Discord' };
const told = new Map(); // of each turn, how far a screen reader was told

export const process = () => one('process', 'process') ?? { state: 'starting', life: 1, at: Date.now() };

export function inside() {
  return html`<section class="pane" id="inside" aria-labelledby="inside-name" tabindex="-1">
    <header><h2 id="inside-name">Inside</h2><span class="small">what the bot does, and what you can do to it</span></header>
    <div class="scroll" tabindex="0" role="region" aria-label="Inside the bot">
      ${ui.trouble.inside ? html`<p class="wrong" role="alert">${ui.trouble.inside}</p>` : nothing}
      ${switches()}${lanes()}${log()}</div></section>`;
}

export function killButton(where = '') {
  const { state } = process();
  const dead = state === 'killed' || state === 'ended';
  return html`<button type="button" class="${dead ? 'success' : 'danger'} ${where}" ?disabled=${ui.away}
    @click=${() => attempt('inside', dead ? 'fault.start' : 'fault.kill')}>${dead ? 'Start it again' : 'Kill the bot'}</button>`;
}

function switches() {
  const whatNow = SWITCHES.filter(([name]) => one('fault', `fault ${name}`)?.on).map(([name]) => name);
  const about = ui.about || whatNow.at(-1) || '';
  return html`<fieldset class="switches"><legend>What can go wrong</legend><div class="buttons">
    ${killButton('switch')}
    ${SWITCHES.map(([name, title, sentence, stays]) => {
    const { on = false, why_not: whyNot = '' } = one('fault', `fault ${name}`) ?? {};
    return html`<button type="button" aria-pressed=${on} aria-describedby=${`about-${name}`} ?disabled=${Boolean(whyNot) || ui.away}
      @pointerenter=${() => tell(name)} @pointerleave=${() => tell('')} @focus=${() => tell(name)} @blur=${() => tell('')}
      @click=${() => attempt('inside', `fault.${name}`, { on: stays && !on })}>${title}</button><span class="unseen" id=${`about-${name}`}>${whyNot || sentence}</span>`;
  })}</div><p class="small about" aria-hidden="true">${sentenceOf(about)}</p></fieldset>`;
}

function tell(name) {
  ui.about = name;
  paint(true);
}

const sentenceOf = (name) => SWITCHES.find(([each]) => each === name)?.[2] ?? (one('stage', 'stage')?.emulated === false
  ? 'The AI service itself can’t be switched: the real one answers.' : 'Kill the bot in the middle of an answer, start it again, and watch the answer go on in the same messages.');

function lanes() {
  const turns = all('turn').sort((a, b) => b.at - a.at).slice(0, LANES);
  const open = turns.some((turn) => !turn.end);
  if (open) setTimeout(paint, 200); // time goes on in their lanes
  const tick = open ? Math.floor(Date.now() / 200) : 0;
  return html`<h3>Turns</h3>${turns.length ? nothing : html`<p class="small">Each question becomes a turn, and each turn a lane here.</p>`}
    <ol class="lanes">${repeat(turns, (turn) => turn.key, (turn) => guard([turn, turn.end ? 0 : tick], () => lane(turn)))}</ol>`;
}

const seconds = (ms) => (ms < 950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

function lane(turn) {
  const words = turn.end ? (turn.status === 'answered' ? 'answered' : turn.status) : process().state === 'ready' ? turn.status : 'waits for the bot';
  const marks = [...turn.marks].sort((a, b) => a.at - b.at);
  return html`<li class="lane ${turn.marks.some((mark) => mark.what === 'killed') ? 'survived' : ''}">
    <p><strong>${NAMES[turn.platform] ?? turn.platform}</strong> <bdi>${person(turn.asker)?.name ?? 'somebody'}</bdi>: <bdi class="question">${turn.question}</bdi> <span class="badge ${words}">${words}</span></p>
    ${bar(turn, marks)}
    <p class="marks small">${marks.map((mark) => html`<span class=${mark.what.replace(' ', '-')}>${mark.what} ${seconds(Math.max(0, mark.at - turn.at))}</span>`)}</p>
    ${turn.problem || turn.aside ? html`<p class="small" dir="auto">${turn.problem || turn.aside}</p>` : nothing}
    <details><summary>conversation, preset, what was sent</summary>
      <dl><dt>conversation</dt><dd>${turn.conversation || 'none'}</dd><dt>model</dt><dd>${turn.model || 'none: Bobbin answered by itself'}</dd>
        <dt>reference</dt><dd>${turn.reference}</dd><dt>attempt</dt><dd>${turn.attempt}</dd>
        ${turn.levels.map(([name, value, place]) => html`<dt>${name === 'name' ? 'preset' : name}</dt><dd><bdi>${value || 'empty'}</bdi> <span class="small">set by ${place}</span></dd>`)}</dl>
      ${turn.sent.map((sent, index) => html`<p class="small">sent ${index + 1} (${seconds(Math.max(0, sent.at - turn.at))}): ${sent.ended || 'still going on'}</p><pre tabindex="0"><code>Authorization: Bearer •••
${JSON.stringify(sent.body, null, 1)}</code></pre>`)}
      ${turn.sent.length || !turn.model || one('stage', 'stage')?.emulated ? nothing : html`<p class="small">What goes to the real service is not seen here.</p>`}</details></li>`;
}

/** From the acceptance to the end: waiting, writing, dead, writing again; a tick for each change that people saw. */
function bar(turn, marks) {
  const end = turn.end || Math.max(Date.now(), turn.at + 1);
  const x = (at) => Math.max(0, Math.min(1000, ((at - turn.at) / Math.max(1, end - turn.at)) * 1000));
  const spans = [];
  let [from, kind] = [turn.at, 'waits'];
  for (const mark of marks) {
    const next = { 'first text': 'writes', killed: 'dead', 'went on': 'again' }[mark.what];
    if (!next || (next === 'writes' && kind !== 'waits')) continue;
    spans.push([from, mark.at, kind]);
    [from, kind] = [mark.at, next];
  }
  spans.push([from, end, kind]);
  return svg`<svg class="bar" viewBox="0 0 1000 24" preserveAspectRatio="none" role="img" aria-label=${`From its acceptance to ${turn.end ? 'its end' : 'now'}: ${seconds(end - turn.at)}`}>
    ${spans.map(([a, b, name]) => svg`<rect class=${name} x=${x(a)} width=${Math.max(2, x(b) - x(a))} y="4" height="16"></rect>`)}
    ${turn.beats.slice(-150).map((beat) => svg`<rect class="beat" x=${x(beat)} width="2" y="0" height="4"></rect>`)}</svg>`;
}

function log() {
  const lines = all('log').slice(-150).reverse();
  return html`<details class="log"><summary>The bot's log (${lines.length === 1 ? '1 line' : `${lines.length} lines`})</summary>
    <ol>${repeat(lines, (line) => line.key, (line) => guard([line], () => html`<li class=${line.level}><span class="small">${new Date(line.at).toLocaleTimeString()} ${line.level}</span> ${line.event}
      <span class="small">${Object.entries(line.facts).map(([name, value]) => `${name}=${value}`).join(' ')}</span></li>`))}</ol></details>
    <p class="small"><a href="/script" download="rehearsal.txt">Save what was done here as a script</a></p>`;
}

/** Say that an answer begins and that it is there; what streams in between is not for the ear. */
export function tellTurns() {
  for (const turn of all('turn')) {
    const step = turn.end ? 'over' : turn.status === 'streaming' ? 'begun' : '';
    if (!told.size && turn.end) { told.set(turn.key, 'over'); continue; } // it was so when the page was opened
    if (!step || told.get(turn.key) === step) continue;
    told.set(turn.key, step);
    const whom = `${person(turn.asker)?.name ?? 'somebody'} on ${NAMES[turn.platform] ?? turn.platform}`;
    announce(step === 'begun' ? `Bobbin is answering ${whom}` : turn.status === 'answered' ? `Bobbin has answered ${whom}` : `Bobbin could not answer ${whom}`);
  }
}
