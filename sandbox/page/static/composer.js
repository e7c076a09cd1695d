// Where people write: mentions and commands are completed, files come along, ↑ changes what was said last.

import { html, nothing } from './vendor/lit-html/lit-html.js';
import { edit } from './message.js';
import { all, announce, attempt, isMine, paint, places, ui } from './store.js';

const MOST = { slack: 40000, discord: 2000 }; // characters; what is pasted beyond becomes a file
const MOST_FILES = 10;
const FILE_BYTES = 2 * 1024 * 1024;
const suggested = { slack: { list: [], at: 0 }, discord: { list: [], at: 0 } };

export function composer(platform, place) {
  const editing = ui.editing[platform];
  const context = editing ? 'Changing a message' : threadName(platform);
  const { list, at } = suggested[platform];
  const offers = all('offer').filter((one) => one.platform === platform && one.kind === 'anywhere');
  const hint = editing ? 'Change it' : place.kind === 'forum' && !ui.thread[platform] ? 'The post' : `Write to ${place.kind === 'dm' ? 'bobbin' : `#${place.name}`}`;
  return html`<form class="composer" @submit=${(event) => send(event, platform, place)} @dragover=${(event) => event.preventDefault()}
      @drop=${(event) => { event.preventDefault(); take(platform, event.dataTransfer.files); }}>
    ${ui.trouble[platform] ? html`<p class="wrong" role="alert">${ui.trouble[platform]} <button type="button" class="link" @click=${() => { ui.trouble[platform] = ''; paint(true); }}>Close</button></p>` : nothing}
    ${context ? html`<p class="chip context">${context} <button type="button" class="link" aria-label="Leave this" @click=${() => leave(platform)}>×</button></p>` : nothing}
    ${ui.files[platform].map((file, index) => html`<p class="chip">📎 <bdi>${file.name}</bdi> <button type="button" class="link" aria-label=${`Leave out ${file.name}`}
      @click=${() => { ui.files[platform].splice(index, 1); paint(true); }}>×</button></p>`)}
    ${place.kind === 'forum' && !ui.thread[platform] ? html`<input name="title" placeholder="Title of the post" aria-label="Title of the post" maxlength="100" required>` : nothing}
    ${all('prompts').filter((each) => each.place === place.key).map((each) => html`<p class="buttons" role="group" aria-label="What there is to ask">${each.prompts.map((one) => html`<button type="button"
      @click=${() => attempt(platform, 'slack.say', { place: place.key, text: one.message })}>${one.title}</button>`)}</p>`)}
    <ul class="suggestions" id=${`${platform}-suggestions`} role="listbox" aria-label="Suggestions" ?hidden=${!list.length}>${list.map((one, index) => html`<li role="option" id=${`${platform}-${index}`}
      aria-selected=${index === at} @pointerdown=${(event) => { event.preventDefault(); accept(platform, one); }}><strong>${one.insert.trim()}</strong> <span class="small">${one.about}</span></li>`)}</ul>
    <div class="line"><textarea rows="2" aria-label=${`${hint} on ${platform === 'slack' ? 'Slack' : 'Discord'}`} placeholder=${hint} aria-autocomplete="list" aria-controls=${`${platform}-suggestions`}
        aria-activedescendant=${list.length ? `${platform}-${at}` : nothing}
        @input=${(event) => suggest(platform, event.target)} @keydown=${(event) => keyed(event, platform, place)} @paste=${(event) => pasted(event, platform)} @blur=${() => clear(platform)}></textarea>
      <label class="button" title="Add files"><span aria-hidden="true">📎</span><span class="unseen">Add files to the message on ${platform}</span>
        <input type="file" class="unseen" multiple @change=${(event) => { take(platform, event.target.files); event.target.value = ''; }}></label>
      ${offers.map((one) => html`<button type="button" title=${one.name} aria-label=${one.name} @click=${() => attempt(platform, 'slack.shortcut', { entry: one.id })}>⚡</button>`)}
      <button class="primary">Send</button></div></form>`;
}

function threadName(platform) {
  const thread = ui.thread[platform];
  if (!thread) return '';
  return platform === 'slack' || thread.place ? `In the thread of ${thread.name}` : `A reply to ${thread.name}`;
}

function leave(platform) {
  if (ui.editing[platform]) box(platform).value = '';
  ui.thread[platform] = ui.editing[platform] = null;
  paint(true);
  box(platform).focus();
}

const box = (platform) => document.querySelector(`#${platform} .composer textarea`);

/** What was written goes at once, so that nobody sends it twice; it comes back if it could not be sent. */
async function send(event, platform, place) {
  event.preventDefault();
  const [field, title] = [box(platform), event.target.elements.title];
  const kept = { text: field.value, title: title?.value, files: ui.files[platform], editing: ui.editing[platform], thread: ui.thread[platform] };
  const doing = attempt(platform, ...deed(platform, place, kept.text, kept.title));
  field.value = '';
  if (title) title.value = '';
  ui.files[platform] = [];
  ui.editing[platform] = null;
  if (platform === 'discord' && !kept.thread?.place) ui.thread.discord = null; // a reply is for once
  pin(platform);
  paint(true);
  await doing;
  if (!ui.trouble[platform] || field.value) return;
  field.value = kept.text;
  ui.files[platform] = kept.files;
  ui.editing[platform] = kept.editing;
  ui.thread[platform] = kept.thread;
  paint(true);
  if (event.target.elements.title) event.target.elements.title.value = kept.title ?? '';
}

/** Which act it is, with its fields. */
function deed(platform, place, text, title) {
  const editing = ui.editing[platform];
  const thread = ui.thread[platform];
  const files = ui.files[platform];
  if (editing) return [`${platform}.edit`, { message: editing.key, text }];
  if (platform === 'slack') return ['slack.say', { place: place.key, text, files, thread: thread?.key ?? '' }];
  if (place.kind === 'forum' && !thread) return ['discord.post', { place: place.key, title, text, files }];
  return ['discord.say', { place: thread?.place ?? thread?.of?.place ?? place.key, reply_to: thread?.of ? thread.key : '', text, files }];
}

export function pin(platform) {
  const scroll = document.querySelector(`#${platform} .scroll`);
  if (scroll) scroll.dataset.pinned = 'yes';
}

function keyed(event, platform, place) {
  const { list, at } = suggested[platform];
  const field = event.target;
  if (event.isComposing) return;
  if (list.length && ['ArrowDown', 'ArrowUp'].includes(event.key)) {
    event.preventDefault();
    suggested[platform].at = (at + (event.key === 'ArrowDown' ? 1 : list.length - 1)) % list.length;
    paint(true);
  } else if (list.length && (event.key === 'Tab' || (event.key === 'Enter' && !event.shiftKey)) && !field.value.endsWith(list[at].insert)) {
    event.preventDefault();
    accept(platform, list[at]);
  } else if (event.key === 'Escape') {
    if (list.length) clear(platform); else leave(platform);
  } else if (event.key === 'Enter' && !event.shiftKey) {
    event.preventDefault();
    field.form.requestSubmit();
  } else if (event.key === 'ArrowUp' && !field.value) {
    const mine = said(place).filter((one) => isMine(one.author)).sort((a, b) => a.at - b.at).at(-1);
    if (mine) { event.preventDefault(); edit(mine); }
  }
}

function said(place) {
  const threads = all('place').filter((one) => one.parent === place.key).map((one) => one.key);
  return [place.key, ...threads].flatMap((key) => [...(places.get(key)?.values() ?? [])]);
}

// Suggestions

function clear(platform) {
  if (!suggested[platform].list.length) return;
  suggested[platform] = { list: [], at: 0 };
  paint(true);
}

function suggest(platform, field) {
  const before = field.value.slice(0, field.selectionStart);
  const list = before.length > 200 ? [] : fitting(platform, before).slice(0, 8);
  if (list.length || suggested[platform].list.length) {
    suggested[platform] = { list, at: 0 };
    if (list.length) announce(`${list.length} suggestions`);
    paint(true);
  }
}

function fitting(platform, before) {
  const name = before.match(/(?:^|\s)@([\w.-]*)$/);
  if (name) {
    return all('person').filter((one) => one.platform === platform && one.login.startsWith(name[1].toLowerCase()))
      .sort((a, b) => b.ours - a.ours).map((one) => ({ insert: `@${one.login} `, from: name[1].length + 1, about: one.ours ? 'the bot' : one.roles.join(', ') }));
  }
  return before.startsWith('/') ? commands(platform).filter((one) => one.insert.startsWith(before) && one.insert !== before).map((one) => ({ ...one, from: before.length })) : [];
}

function commands(platform) {
  if (platform === 'slack') return ['help', 'preset show', 'preset set ', 'preset reset', ''].map((words) => ({ insert: `/bobbin ${words}`, about: words ? '' : 'and a question' }));
  return all('offer').filter((one) => one.kind === 'command').flatMap((one) => {
    const subs = one.options.filter((each) => each.type <= 2);
    const takes = (options) => options.map((each) => (each.required ? each.name : `[${each.name}]`)).join(' ');
    return subs.length ? subs.map((sub) => ({ insert: `/${one.name} ${sub.name} `, about: takes(sub.options ?? []) || sub.description }))
      : [{ insert: `/${one.name} `, about: takes(one.options) || one.description }];
  });
}

function accept(platform, one) {
  const field = box(platform);
  const at = field.selectionStart;
  field.setRangeText(one.insert, at - one.from, at, 'end');
  suggested[platform] = { list: [], at: 0 };
  suggest(platform, field);
  paint(true);
}

// Files

function pasted(event, platform) {
  const files = [...event.clipboardData.files];
  const text = event.clipboardData.getData('text/plain');
  if (files.length) {
    event.preventDefault();
    take(platform, files);
  } else if (text.length + event.target.value.length > MOST[platform]) {
    event.preventDefault();
    take(platform, [new File([text], 'pasted.txt', { type: 'text/plain' })], Infinity);
    announce('It is too long for a message, and was added as a file.');
  }
}

async function take(platform, files, most = FILE_BYTES) {
  for (const file of files) {
    if (ui.files[platform].length >= MOST_FILES) { ui.trouble[platform] = `A message takes ${MOST_FILES} files.`; break; }
    if (file.size > most && !file.type.startsWith('text/')) { ui.trouble[platform] = `${file.name} is larger than 2 MB, which is the most here.`; continue; }
    ui.files[platform].push({ name: file.name, kind: file.type || 'application/octet-stream', content: await encoded(file) });
  }
  paint(true);
}

async function encoded(file) {
  const url = await new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(file);
  });
  return url.slice(url.indexOf(',') + 1);
}
