// A message: who, when, what, and what can be done with it.

import { html, nothing } from './vendor/lit-html/lit-html.js';
import * as slack from './blocks.js';
import * as discord from './components.js';
import { emoji, markdown, mrkdwn } from './markup.js';
import { all, attempt, find, isMine, me, paint, person, ui } from './store.js';

const TIME = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit' });
const REACTIONS = { slack: ['eyes', '+1', 'mute'], discord: ['👀', '👍', '🔇'] };

const shownName = (message) => message.name || person(message.author)?.name || 'somebody';

/** Is it for somebody else's eyes? */
export const isHidden = (message) => message.only_for && !isMine(message.only_for);

export function row(message, depth) {
  const who = person(message.author);
  const name = shownName(message);
  if (message.system) return html`<li class="row system deep-${depth}"><p class="small">${message.text || 'A thread was opened.'}</p></li>`;
  return html`<li class="row deep-${depth} ${message.only_for ? 'private' : ''}" data-key=${message.key}>
    <span class="face face${hue(name)}" aria-hidden="true">${[...name][0]?.toUpperCase()}</span>
    <div class="said">
      <p class="who"><bdi>${name}</bdi>${who?.bot ? html`<span class="badge">app</span>` : nothing}<time datetime=${new Date(message.at).toISOString()}>${TIME.format(message.at)}</time>
        ${message.edited && !who?.bot ? html`<span class="small">edited</span>` : nothing}
        ${message.only_for ? html`<span class="small">only ${person(message.only_for)?.name ?? 'one person'} sees this</span>` : nothing}
        <button type="button" class="more" aria-label=${`What can be done with the message of ${name}`} aria-haspopup="true"
          @click=${(event) => openMenu(message, event.currentTarget)}>⋯</button></p>
      ${replied(message)}
      ${message.platform === 'slack' ? slackBody(message) : discordBody(message)}
      ${message.files.map(file)}
      ${message.reactions.length ? html`<p class="reactions">${message.reactions.map((one) => html`<button type="button" class="chip" aria-pressed=${one.by.some(isMine)}
        aria-label=${`${one.name}, ${one.by.length}`} @click=${() => react(message, one.name)}>${message.platform === 'slack' ? emoji(one.name) : one.name} ${one.by.length}</button>`)}</p>` : nothing}
    </div></li>`;
}

function replied(message) {
  if (!message.reply_to) return nothing;
  const other = find(message.reply_to);
  return html`<p class="small reply" dir="auto">↪ ${other ? `${shownName(other)}: ${(other.text || '…').slice(0, 80)}` : 'a message that is not here'}</p>`;
}

function slackBody(message) {
  const acting = { click: (action, value) => attempt('slack', 'slack.click', { message: message.key, action, value }) };
  return html`${message.blocks.length ? slack.blocks(message.blocks, acting) : message.text ? mrkdwn(message.text, slack.names) : nothing}
    ${message.attachments.map((one) => html`<div class="embed" dir="auto">${one.author_name ? html`<p class="small">${one.author_name}</p>` : nothing}
      ${one.title ? html`<p class="heading h3">${one.title}</p>` : nothing}${one.text ? mrkdwn(one.text, slack.names) : nothing}${one.blocks ? slack.blocks(one.blocks, acting) : nothing}</div>`)}`;
}

function discordBody(message) {
  const names = discord.namesOf(message);
  const acting = { names, click: (action, values) => attempt('discord', 'discord.click', { message: message.key, action, values }) };
  return html`${message.command && message.command.length > 1 ? html`<p class="small">${message.command}</p>` : nothing}
    ${message.thinking ? html`<p class="text waits">thinking…</p>` : nothing}
    ${message.text ? markdown(message.text, names) : nothing}
    ${message.embeds.map((one) => discord.embed(one, names))}
    ${discord.components(message.components, acting)}
    ${(message.more.message_snapshots ?? []).map((one) => html`<blockquote class="forward">${markdown(one.message.content ?? '', names)}</blockquote>`)}
    ${(message.more.sticker_items ?? []).map((one) => html`<span class="chip">🏷 ${one.name}</span>`)}`;
}

function file(one) {
  const size = one.size < 1024 ? `${one.size} bytes` : `${Math.round(one.size / 1024).toLocaleString()} KB`;
  return html`<p class="file">${/^image\/(?:png|jpeg|gif|webp)$/.test(one.kind) ? html`<img src=${one.url} alt=${one.name} loading="lazy">` : '📎 '}
    <a href=${one.url} download=${one.name}>${one.name}</a> <span class="small">${size}</span></p>`;
}

function hue(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 6;
  return sum;
}

function react(message, name) {
  return attempt(message.platform, `${message.platform}.react`, { message: message.key, name });
}

// The menu

function openMenu(message, button) {
  ui.menu = message;
  paint(true);
  const menu = document.getElementById('menu');
  const at = button.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(at.right - 240, innerWidth - 256))}px`;
  menu.showPopover();
  menu.style.top = `${Math.max(8, Math.min(at.bottom + 4, innerHeight - menu.offsetHeight - 8))}px`;
  menu.dataset.from = message.key;
  menu.querySelector('button')?.focus();
}

function closeMenu() {
  document.getElementById('menu')?.hidePopover();
}

export function menu() {
  const message = ui.menu;
  return html`<div id="menu" popover role="group" aria-label="What can be done with this message" @keydown=${walk} @toggle=${back}>${message ? entries(message) : nothing}</div>`;
}

function back(event) {
  const focused = document.activeElement;
  if (event.newState === 'closed' && (focused === document.body || event.target.contains(focused))) {
    document.querySelector(`[data-key="${CSS.escape(event.target.dataset.from ?? '')}"] .more`)?.focus();
  }
}

function walk(event) {
  const buttons = [...event.currentTarget.querySelectorAll('button')];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  buttons.at((buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length)?.focus();
}

function entries(message) {
  const { platform } = message;
  const entry = (words, done) => html`<button type="button" @click=${() => { closeMenu(); done(); }}>${words}</button>`;
  const offers = all('offer').filter((one) => one.platform === platform && one.kind === 'message');
  const own = isMine(message.author);
  return html`
    ${message.only_for ? nothing : entry(platform === 'slack' ? 'Reply in thread' : 'Reply', () => answer(message))}
    ${platform === 'discord' && !message.opens && !message.only_for ? entry('Open a thread here', () => attempt(platform, 'discord.thread', { message: message.key, title: (message.text || 'A thread').slice(0, 60) })) : nothing}
    ${message.only_for ? nothing : offers.map((one) => entry(html`⚡ ${one.name}`, () => use(message, one)))}
    ${message.only_for ? nothing : html`<span class="reactions" role="group" aria-label="React">${REACTIONS[platform].map((name) => entry(html`<span aria-label=${`react with ${name}`}>${platform === 'slack' ? emoji(name) : name}</span>`, () => react(message, name)))}</span>`}
    ${own ? entry('Edit', () => edit(message)) : nothing}
    ${own || (platform === 'discord' && me(platform)?.roles.length) ? entry('Delete', () => attempt(platform, `${platform}.delete`, { message: message.key })) : nothing}`;
}

function use(message, offer) {
  return attempt(message.platform, message.platform === 'slack' ? 'slack.shortcut' : 'discord.menu', { message: message.key, entry: offer.id });
}

export function answer(message) {
  const { platform } = message;
  ui.thread[platform] = { key: platform === 'slack' ? message.thread || message.key : message.key, name: shownName(message), of: message };
  ui.editing[platform] = null;
  paint(true);
  document.querySelector(`#${platform} textarea`)?.focus();
}

export function edit(message) {
  ui.editing[message.platform] = message;
  paint(true);
  const box = document.querySelector(`#${message.platform} .composer textarea`);
  box.value = typed(message);
  box.focus();
}

/** What its author typed: names instead of ids. */
function typed(message) {
  if (message.platform === 'discord') return message.text.replace(/<@!?\d+>/g, (found) => message.names[found] ?? found);
  const plain = message.text.replace(/<@([A-Z0-9]+)>/g, (found, id) => slack.names(`@${id}`) ?? found).replace(/<(https?:[^<>|]+)>/g, '$1');
  return plain.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
