// Slack's blocks: https://docs.slack.dev/reference/block-kit. A kind that nobody drew here shows what words it has.

import { html, nothing } from './vendor/lit-html/lit-html.js';
import { emoji, grid, link, markdown, mrkdwn } from './markup.js';
import { all } from './store.js';

export function names(id) {
  if (id.startsWith('@')) return nameOf('person', id.slice(1));
  if (id.startsWith('#')) return nameOf('place', id.slice(1));
  return undefined;
}

function nameOf(type, id) {
  const found = all(type).find((one) => one.key === `slack ${id}`);
  return found && `${type === 'person' ? '@' : '#'}${found.name}`;
}

/** *acting*: { click(action, value), error(block id) } of the message or the form in which the blocks stand. */
export const blocks = (list, acting) => list.map((one) => block(one, acting));

function block(one, acting) {
  switch (one.type) {
    case 'rich_text': return html`<div class="text" dir="auto">${one.elements.map(rich)}</div>`;
    case 'markdown': return markdown(one.text ?? '', names);
    case 'section': return html`<div class="section"><div>${one.text ? words(one.text) : nothing}
      ${one.fields ? html`<div class="fields">${one.fields.map(words)}</div>` : nothing}</div>
      ${one.accessory ? element(one.accessory, acting) : nothing}</div>`;
    case 'header': return html`<p class="heading h2" dir="auto">${plain(one.text)}</p>`;
    case 'divider': return html`<hr>`;
    case 'context': return html`<div class="context">${one.elements.map((each) => (each.type === 'image' ? image(each) : words(each)))}</div>`;
    case 'actions': case 'context_actions': return html`<div class="buttons">${one.elements.map((each) => element(each, acting))}</div>`;
    case 'table': return grid((one.rows ?? []).map((row) => row.map((cell) => (cell.elements ? cell.elements.map(rich) : cell.text ?? ''))));
    case 'image': return image(one);
    case 'input': return input(one, acting);
    default: return unknown(one, acting);
  }
}

export const words = (text) => (text.type === 'mrkdwn' ? mrkdwn(text.text ?? '', names) : html`<span dir="auto">${plain(text)}</span>`);
export const plain = (text) => (typeof text === 'string' ? text : (text?.text ?? '')).replace(/:([a-z0-9_+-]{2,40}):/g, (_, name) => emoji(name));

// Pictures from elsewhere are not fetched: nothing leaves this machine.
const image = (one) => html`<span class="chip">🖼 ${one.alt_text || plain(one.title) || 'picture'}</span>`;

function rich(part) {
  switch (part.type) {
    case 'rich_text_section': return html`<p>${part.elements.map(inline)}</p>`;
    case 'rich_text_quote': return html`<blockquote>${part.elements.map(inline)}</blockquote>`;
    case 'rich_text_preformatted': return html`<pre tabindex="0"><code>${part.elements.map((one) => one.text ?? one.url ?? '')}</code></pre>`;
    case 'rich_text_list': return html`<ul class="marked">${part.elements.map((item, index) => html`<li class=${`deep${Math.min(part.indent ?? 0, 4)}`}>
      <span class="mark">${part.style === 'ordered' ? `${index + 1 + (part.offset ?? 0)}.` : '•'}</span><span>${(item.elements ?? []).map(inline)}</span></li>`)}</ul>`;
    default: return part.elements ? html`<div>${part.elements.map(rich)}</div>` : inline(part);
  }
}

function inline(one) {
  switch (one.type) {
    case 'link': return styled(link(one.url ?? '', one.text || one.url), one.style);
    case 'user': return chip(names(`@${one.user_id}`) ?? `@${one.user_id}`);
    case 'channel': return chip(names(`#${one.channel_id}`) ?? `#${one.channel_id}`);
    case 'usergroup': return chip(`@${one.usergroup_id}`);
    case 'broadcast': return chip(`@${one.range}`);
    case 'emoji': return emoji(one.name ?? '');
    case 'date': return chip(one.fallback ?? new Date(one.timestamp * 1000).toLocaleString());
    default: return styled(one.text ?? one.value ?? '', one.style);
  }
}

const chip = (text) => html`<span class="chip">${text}</span>`;

function styled(text, style) {
  if (!style) return text;
  let made = text;
  if (style.code) made = html`<code>${made}</code>`;
  if (style.bold) made = html`<strong>${made}</strong>`;
  if (style.italic) made = html`<em>${made}</em>`;
  if (style.strike) made = html`<s>${made}</s>`;
  if (style.underline) made = html`<u>${made}</u>`;
  return made;
}

/** Whatever it is: its words, its buttons, and what is inside of it. */
function unknown(one, acting) {
  const inner = ['blocks', 'elements', 'tasks', 'items', 'content', 'details', 'output'].flatMap((name) => one[name] ?? []);
  const text = one.title ?? one.text ?? one.label ?? one.markdown_text;
  return html`<div class="unknown">${text ? (typeof text === 'string' ? markdown(text, names) : words(text)) : nothing}
    ${one.status ? html`<span class="chip">${one.status}</span>` : nothing}
    ${inner.filter((each) => each && typeof each === 'object').map((each) => (each.action_id ? element(each, acting) : each.type?.startsWith('rich_text_') ? rich(each) : block(each, acting)))}
    ${text || inner.length ? nothing : html`<span class="small">[${one.type}]</span>`}</div>`;
}

// What can be clicked, and what can be filled in

const options = (one) => [...(one.options ?? []), ...(one.option_groups ?? []).flatMap((group) => group.options)];
const people = () => all('person').filter((one) => one.platform === 'slack');
const channels = () => all('place').filter((one) => one.platform === 'slack' && one.name);
const idOf = (one) => one.key.split(' ')[1];

function asked(one, click) {
  const { confirm } = one;
  return () => { if (!confirm || window.confirm(`${plain(confirm.title)}\n\n${plain(confirm.text)}`)) click(); };
}

function element(one, acting) {
  const click = (value) => acting.click(one.action_id, value);
  switch (one.type) {
    case 'button': case 'workflow_button':
      return one.url ? link(one.url, plain(one.text)) : html`<button type="button" class=${one.style ?? ''} aria-label=${one.accessibility_label ?? nothing} @click=${asked(one, () => click())}>${plain(one.text)}</button>`;
    case 'icon_button': return html`<button type="button" @click=${() => click()}>${plain(one.text)}</button>`;
    case 'feedback_buttons': return [one.positive_button, one.negative_button].map((each) => html`<button type="button" aria-label=${each.accessibility_label ?? nothing}
      @click=${() => click(each.value)}>${plain(each.text)}</button>`);
    case 'static_select': case 'overflow': case 'radio_buttons': return choice(one, options(one).map((each) => [each.value, plain(each.text)]), click);
    case 'users_select': return choice(one, people().map((each) => [idOf(each), each.name]), click);
    case 'conversations_select': case 'channels_select': return choice(one, channels().map((each) => [idOf(each), each.name]), click);
    case 'image': return image(one);
    case 'plain_text_input': return field(one, one.action_id);
    default: return one.options ? choice(one, options(one).map((each) => [each.value, plain(each.text)]), click) : html`<span class="chip">[${one.type}]</span>`;
  }
}

function choice(one, pairs, chosen) {
  const initial = one.initial_option?.value ?? one.initial_conversation ?? one.initial_channel ?? one.initial_user ?? '';
  return html`<select aria-label=${plain(one.placeholder) || 'Choose'} @change=${(event) => { if (event.target.value) chosen(event.target.value); }}>
    <option value="" ?selected=${!initial}>${plain(one.placeholder) || 'Choose…'}</option>
    ${pairs.map(([value, label]) => html`<option value=${value} ?selected=${value === initial}>${label}</option>`)}</select>`;
}

function input(one, acting) {
  const name = `${one.block_id} ${one.element.action_id}`;
  const error = acting.error?.(one.block_id);
  const boxes = ['radio_buttons', 'checkboxes'].includes(one.element.type);
  const inside = html`${field(one.element, name, !one.optional, one.label)}
    ${one.hint ? html`<span class="small">${plain(one.hint)}</span>` : nothing}
    ${error ? html`<span class="wrong" role="alert">${error}</span>` : nothing}`;
  const label = html`${plain(one.label)}${one.optional ? html` <span class="small">(optional)</span>` : nothing}`;
  return boxes ? html`<fieldset><legend>${label}</legend>${inside}</fieldset>` : html`<label class="field"><span>${label}</span>${inside}</label>`;
}

/** One field of a form, by its type; `read` knows what it says. */
function field(one, name, required = false) {
  switch (one.type) {
    case 'plain_text_input': return one.multiline
      ? html`<textarea name=${name} rows="4" ?required=${required} maxlength=${one.max_length ?? 3000} placeholder=${plain(one.placeholder)} .defaultValue=${one.initial_value ?? ''}></textarea>`
      : html`<input name=${name} ?required=${required} maxlength=${one.max_length ?? 3000} placeholder=${plain(one.placeholder)} .defaultValue=${one.initial_value ?? ''}>`;
    case 'radio_buttons': case 'checkboxes': return options(one).map((each) => html`<label class="box">
      <input type=${one.type === 'checkboxes' ? 'checkbox' : 'radio'} name=${name} value=${each.value}
        .defaultChecked=${[one.initial_option, ...(one.initial_options ?? [])].some((set) => set?.value === each.value)}> ${plain(each.text)}
      ${each.description ? html`<span class="small">${plain(each.description)}</span>` : nothing}</label>`);
    case 'datepicker': return html`<input type="date" name=${name} ?required=${required} .defaultValue=${one.initial_date ?? ''}>`;
    case 'timepicker': return html`<input type="time" name=${name} ?required=${required} .defaultValue=${one.initial_time ?? ''}>`;
    case 'number_input': return html`<input type="number" name=${name} ?required=${required} .defaultValue=${one.initial_value ?? ''}>`;
    case 'email_text_input': case 'url_text_input': return html`<input type=${one.type.slice(0, one.type.indexOf('_'))} name=${name} ?required=${required} .defaultValue=${one.initial_value ?? ''}>`;
    default: return select(one, name, required);
  }
}

function select(one, name, required) {
  const many = one.type.startsWith('multi_');
  const kind = one.type.replace('multi_', '');
  const pairs = kind === 'users_select' ? people().map((each) => [idOf(each), each.name])
    : kind === 'static_select' ? options(one).map((each) => [each.value, plain(each.text)])
    : channels().map((each) => [idOf(each), each.name]);
  const set = [one.initial_option?.value, one.initial_user, one.initial_conversation, one.initial_channel,
    ...(one.initial_options ?? []).map((each) => each.value), ...(one.initial_users ?? []), ...(one.initial_conversations ?? []), ...(one.initial_channels ?? [])];
  return html`<select name=${name} ?multiple=${many} ?required=${required}>${many ? nothing : html`<option value="">${plain(one.placeholder) || 'Choose…'}</option>`}
    ${pairs.map(([value, label]) => html`<option value=${value} ?selected=${set.includes(value)}>${label}</option>`)}</select>`;
}

const STATES = { static_select: 'selected_option', radio_buttons: 'selected_option', users_select: 'selected_user', conversations_select: 'selected_conversation',
  channels_select: 'selected_channel', datepicker: 'selected_date', timepicker: 'selected_time', checkboxes: 'selected_options',
  multi_static_select: 'selected_options', multi_users_select: 'selected_users', multi_conversations_select: 'selected_conversations', multi_channels_select: 'selected_channels' };

/** What somebody filled in, as Slack sends it: block → action → state. */
export function read(view, data) {
  const values = {};
  for (const one of view.blocks.filter((each) => each.type === 'input')) {
    const { type, action_id: action } = one.element;
    const given = data.getAll(`${one.block_id} ${action}`).filter((each) => each !== '');
    const name = STATES[type] ?? 'value';
    const whole = name.startsWith('selected_option') ? given.map((each) => options(one.element).find((option) => option.value === each)) : given;
    values[one.block_id] = { [action]: { type, [name]: name.endsWith('s') ? whole : whole[0] ?? null } };
  }
  return values;
}
