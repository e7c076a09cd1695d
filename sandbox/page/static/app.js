// The page: header, three panes, what comes over them, and the keys that lead from one to the next.

import { html, nothing, render } from './vendor/lit-html/lit-html.js';
import { choose, column, offered } from './column.js';
import { pin } from './composer.js';
import { inside, killButton, process, tellTurns } from './inside.js';
import { menu } from './message.js';
import { openForms, surfaces } from './surface.js';
import { all, attempt, one, paint, start, ui } from './store.js';

const PANES = ['slack', 'discord', 'inside'];
const STARTERS = [
  ['slack', 'Write 200 words about looms', '@bobbin Write 200 words about looms.', 'then kill the bot while it answers'],
  ['discord', 'Compare tea and coffee', '/ask Compare tea and coffee in a table.', 'a slash command'],
  ['slack', 'Remember the launch', '@bobbin Remember that the launch is on Friday.', 'then ask about it in the thread'],
];
const STATES = { starting: 'is starting', ready: 'runs', killed: 'is dead', ended: 'has ended' };
const LANGUAGES = new Intl.DisplayNames('en', { type: 'language' });
const KEPT = 40; // pixels from the end at which a list stays there

function header() {
  const stage = one('stage', 'stage');
  const { state, life } = process();
  const people = all('person').filter((each) => each.platform === 'slack' && !each.bot);
  return html`<header class="top">
    <img src="/static/bobbin.svg" alt="" width="28" height="28"><h1>Bobbin's sandbox</h1>
    ${stage ? (stage.emulated ? html`<p class="stage">An emulator answers. Nothing leaves this machine.</p>` : html`<p class="stage real"><strong>The real AI service answers, and each question costs money.</strong> <span>${stage.upstream}</span></p>`) : nothing}
    <label>Act as <select @change=${(event) => act(event.target.value)}>${people.map((each) => html`<option value=${each.login} .selected=${each.login === ui.person}>${each.name} (${describe(each)})</option>`)}</select></label>
    <p class="bot ${ui.away ? 'ended' : state}" role="status">${ui.away ? 'The sandbox is away' : `The bot ${STATES[state]}${life > 1 ? `, life ${life}` : ''}`}</p>
    ${killButton()}</header>
    <nav class="tabs" aria-label="Panes">${PANES.map((name) => html`<a href=${`#${name}`} @click=${(event) => { event.preventDefault(); show(name); }}>${name[0].toUpperCase() + name.slice(1)}</a>`)}</nav>`;
}

/** Their rights on both platforms, and their language. */
function describe(person) {
  const there = all('person').find((each) => each.platform === 'discord' && each.login === person.login);
  const rights = [...new Set([...person.roles, ...(there?.roles ?? [])])];
  const languages = [...new Set([person.locale, there?.locale].filter(Boolean).map((locale) => LANGUAGES.of(locale.split('-')[0])))];
  return [rights.join(', ') || 'member', ...languages].join('; ');
}

function act(name) {
  ui.person = name;
  for (const platform of ['slack', 'discord']) {
    if (!offered(platform).some((place) => place.key === ui.place[platform])) choose(platform, '');
  }
  paint(true);
}

function away() {
  if (!ui.away) return nothing;
  return html`<p class="away" role="alert">${ui.wasThere ? 'The sandbox has ended, or is just starting again. This page comes back by itself when it does.' : 'Reaching for the sandbox…'}</p>`;
}

function starters() {
  if (!ui.starters) return nothing;
  return html`<div class="starters" role="group" aria-label="Questions to begin with">${STARTERS.map(([platform, title, text, about]) => html`<button type="button" ?disabled=${ui.away} @click=${() => ask(platform, text)}>
    <strong>${title}</strong><span class="small">${platform === 'slack' ? 'Slack' : 'Discord'}: ${about}</span></button>`)}
    <button type="button" class="link" aria-label="Hide these questions" @click=${() => { ui.starters = false; paint(true); }}>×</button></div>`;
}

function ask(platform, text) {
  const place = offered(platform).find((each) => each.name === 'general');
  choose(platform, place.key);
  pin(platform);
  show(platform);
  return attempt(platform, `${platform}.say`, { place: place.key, text });
}

function show(name) {
  const pane = document.getElementById(name);
  pane.scrollIntoView({ inline: 'start', block: 'nearest' });
  pane.focus({ preventScroll: true });
}

function notices() {
  const fresh = all('notice').filter((each) => Date.now() - each.at < 6000);
  if (fresh.length) setTimeout(paint, 1000);
  return html`<div class="notices" role="status">${fresh.map((each) => html`<p>${each.text}</p>`)}</div>`;
}

function draw() {
  const lists = [...document.querySelectorAll('.scroll')].map((list) => [list, list.dataset.pinned === 'yes' || list.scrollHeight - list.scrollTop - list.clientHeight < KEPT]);
  render(html`${header()}${away()}${starters()}<main class="panes">${column('slack')}${column('discord')}${inside()}</main>${menu()}${surfaces()}${notices()}`, root);
  openForms();
  tellTurns();
  for (const [list, pinned] of lists) {
    if (pinned && list.closest('#slack, #discord')) list.scrollTop = list.scrollHeight;
    delete list.dataset.pinned;
  }
}

addEventListener('keydown', (event) => {
  if (event.key !== 'F6') return;
  event.preventDefault();
  const at = PANES.findIndex((name) => document.getElementById(name)?.contains(document.activeElement));
  show(PANES.at((at + (event.shiftKey ? -1 : 1) + PANES.length) % PANES.length));
});

const root = document.getElementById('page');
root.replaceChildren();
start(draw);
paint(true);
