// A platform's pane: its places, the messages of the one that is looked at with their threads, and the composer.

import { html, nothing } from './vendor/lit-html/lit-html.js';
import { guard } from './vendor/lit-html/directives/guard.js';
import { repeat } from './vendor/lit-html/directives/repeat.js';
import { composer } from './composer.js';
import { answer, isHidden, row } from './message.js';
import { all, attempt, me, one, paint, places, ui } from './store.js';

const MORE = 200; // rows
const NAMES = { slack: 'Slack', discord: 'Discord' };

/** The places that whoever acts can look at: channels, and their own direct messages. */
export function offered(platform) {
  const mine = me(platform)?.key;
  const isOpen = (place) => ['channel', 'forum'].includes(place.kind) && !place.private;
  return all('place').filter((place) => place.platform === platform && place.kind !== 'thread' && (isOpen(place) || place.members.includes(mine)));
}

export function placeOf(platform) {
  const there = offered(platform);
  return there.find((place) => place.key === ui.place[platform]) ?? there.find((place) => place.name === 'general') ?? there[0];
}

const label = (place) => ({ dm: 'Direct messages', group: place.name, forum: `#${place.name} (forum)` })[place.kind] ?? `#${place.name}`;

export function column(platform) {
  const place = placeOf(platform);
  const title = NAMES[platform];
  return html`<section class="pane" id=${platform} aria-labelledby=${`${platform}-name`} tabindex="-1">
    <header><h2 id=${`${platform}-name`}>${title}</h2>
      <label><span class="unseen">Place on ${title}</span><select @change=${(event) => choose(platform, event.target.value)}>
        ${offered(platform).map((each) => html`<option value=${each.key} .selected=${each.key === place?.key}>${label(each)}</option>`)}</select></label></header>
    ${place ? html`<div class="scroll" tabindex="0" role="region" aria-label=${`Messages in ${label(place)} on ${title}`}>${list(platform, place)}</div>${composer(platform, place)}` : html`<p class="small">Nothing here yet.</p>`}
  </section>`;
}

export function choose(platform, key) {
  ui.place[platform] = key;
  ui.thread[platform] = ui.editing[platform] = null;
  ui.rows[platform] = MORE;
  paint(true);
}

function list(platform, place) {
  const rows = platform === 'slack' ? slackRows(place) : discordRows(place);
  const shown = rows.slice(-ui.rows[platform]);
  const status = all('status').filter((each) => each.platform === platform && !(each.until < Date.now()));
  const there = new Set([place.key, ...all('place').filter((each) => each.parent === place.key).map((each) => each.key)]);
  return html`${rows.length > shown.length ? html`<button type="button" class="earlier" @click=${() => { ui.rows[platform] += MORE; paint(true); }}>Earlier messages (${rows.length - shown.length})</button>` : nothing}
    <ol class="messages">${repeat(shown, (each) => each.key, (each) => guard([each.state, each.depth, ui.person, each.extra], () => (each.draw ? each.draw() : row(each.state, each.depth))))}</ol>
    ${rows.length ? nothing : html`<p class="empty small">${place.kind === 'forum' ? 'No posts yet: write the first.' : `Nobody has said anything here yet. Mention @bobbin, or try one of the questions above.`}</p>`}
    ${all('session').filter((each) => each.place === place.key).map((each) => html`<p class="session small">bobbin is at work here
      <button type="button" @click=${() => attempt(platform, 'slack.stop', { thread: each.thread })}>Stop</button></p>`)}
    <p class="status small">${status.filter((each) => there.has(each.place)).map((each) => html`<span>${each.thread ? `bobbin ${each.text}` : each.text}</span> `)}</p>`;
}

const byTime = (a, b) => a.at - b.at;
const visible = (key) => [...(places.get(key)?.values() ?? [])].filter((each) => !isHidden(each));

function slackRows(place) {
  const threads = new Map();
  const roots = [];
  for (const message of visible(place.key)) {
    if (!message.thread) roots.push(message);
    else threads.get(message.thread)?.push(message) ?? threads.set(message.thread, [message]);
  }
  const rows = [];
  const known = new Set(roots.map((each) => each.key));
  for (const [key, replies] of threads) if (!known.has(key)) roots.push({ ...replies[0], orphans: true, key });
  for (const message of roots.sort(byTime)) {
    if (!message.orphans) rows.push({ key: message.key, state: message, depth: 0 });
    const replies = threads.get(message.key);
    if (!replies) continue;
    rows.push(...replies.sort(byTime).map((each) => ({ key: each.key, state: each, depth: 1 })), tail(replies.at(-1), () => answer(replies.at(-1))));
  }
  return rows;
}

function discordRows(place) {
  const rows = [];
  const opened = new Set();
  const messages = visible(place.key).sort(byTime);
  const inThread = (thread) => {
    opened.add(thread.key);
    const replies = visible(thread.key).sort(byTime);
    rows.push({ key: `name ${thread.key}`, state: thread, depth: 1, draw: () => html`<li class="row thread deep-1"><p>🧵 <bdi>${thread.name}</bdi>${thread.archived ? html` <span class="small">archived</span>` : nothing}</p></li>` });
    rows.push(...replies.map((each) => ({ key: each.key, state: each, depth: 1 })), tail(thread, () => inside(thread)));
  };
  for (const message of messages) {
    rows.push({ key: message.key, state: message, depth: 0 });
    const thread = message.opens && one('place', message.opens);
    if (thread) inThread(thread);
  }
  for (const thread of all('place')) if (thread.parent === place.key && thread.kind === 'thread' && !opened.has(thread.key)) inThread(thread);
  return rows;
}

/** The end of a thread, from which one writes on in it. */
function tail(state, done) {
  return { key: `tail ${state.key}`, state: state.key, depth: 1, draw: () => html`<li class="row tail deep-1"><button type="button" class="link" @click=${done}>Write in this thread</button></li>` };
}

function inside(thread) {
  ui.thread.discord = { place: thread.key, name: thread.name };
  ui.editing.discord = null;
  paint(true);
  document.querySelector('#discord textarea')?.focus();
}
