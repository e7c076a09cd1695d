// Discord's embeds and components: https://discord.com/developers/docs/components/reference. Unknown ones show their words.

import { html, nothing } from './vendor/lit-html/lit-html.js';
import { link, markdown } from './markup.js';
import { all } from './store.js';

const STYLES = { 1: 'primary', 3: 'success', 4: 'danger' };
const PICKED = { 5: ['person'], 6: [], 7: ['person'], 8: ['place'] };

export const namesOf = (message) => (written) => message.names?.[written] ?? nameOf(written);

function nameOf(written) {
  const id = written.replace(/\D/g, '');
  const found = [...all('person'), ...all('place')].find((one) => one.key === `discord ${id}`);
  return found && `${written.startsWith('<#') ? '#' : '@'}${found.name}`;
}

export function embed(one, names) {
  return html`<div class="embed" dir="auto">
    ${one.author?.name ? html`<p class="small">${one.author.name}</p>` : nothing}
    ${one.title ? html`<p class="heading h3">${one.url ? link(one.url, one.title) : one.title}</p>` : nothing}
    ${one.description ? markdown(one.description, names) : nothing}
    ${one.fields?.length ? html`<div class="fields">${one.fields.map((each) => html`<div><strong>${each.name}</strong>${markdown(each.value ?? '', names)}</div>`)}</div>` : nothing}
    ${one.footer?.text ? html`<p class="small">${one.footer.text}</p>` : nothing}</div>`;
}

/** *acting*: { click(custom id, values), names } of the message in which they stand. */
export function components(list, acting) {
  return list.map((one) => component(one, acting));
}

function component(one, acting) {
  switch (one.type) {
    case 1: return html`<div class="buttons">${components(one.components ?? [], acting)}</div>`;
    case 2: return button(one, acting);
    case 3: case 5: case 6: case 7: case 8: return select(one, acting);
    case 9: return html`<div class="section"><div>${components(one.components ?? [], acting)}</div>${one.accessory ? component(one.accessory, acting) : nothing}</div>`;
    case 10: return markdown(one.content ?? '', acting.names);
    case 14: return html`<hr>`;
    case 17: return html`<div class="embed">${components(one.components ?? [], acting)}</div>`;
    default: return html`<div class="unknown">${one.label ?? one.content ?? nothing}${components(one.components ?? [], acting)}
      ${one.label || one.content || one.components ? nothing : html`<span class="chip">[component ${one.type}]</span>`}</div>`;
  }
}

function button(one, acting) {
  const words = html`${one.emoji?.name ? `${one.emoji.name} ` : nothing}${one.label ?? ''}`;
  if (one.url) return link(one.url, words);
  return html`<button type="button" class=${STYLES[one.style] ?? ''} ?disabled=${one.disabled} @click=${() => acting.click(one.custom_id, [])}>${words}</button>`;
}

const pairsOf = (one) => one.options?.map((each) => [each.value, each.label, each.default])
  ?? (PICKED[one.type] ?? []).flatMap((type) => all(type).filter((each) => each.platform === 'discord').map((each) => [each.key.split(' ')[1], each.name, false]));

function select(one, acting) {
  return html`<select ?disabled=${one.disabled} aria-label=${one.placeholder ?? 'Choose'} @change=${(event) => {
    if (event.target.value) acting.click(one.custom_id, [event.target.value]);
    event.target.value = '';
  }}><option value="">${one.placeholder ?? 'Choose…'}</option>${pairsOf(one).map(([value, label]) => html`<option value=${value}>${label}</option>`)}</select>`;
}

// Forms

export const fields = (list) => list.map((one) => formPart(one));

function formPart(one, label = one.label, description = one.description) {
  if (one.type === 18) return formPart(one.component, one.label, one.description);
  if (one.type === 10) return markdown(one.content ?? '', () => undefined);
  if (one.components) return fields(one.components);
  const inside = html`${description ? html`<span class="small">${description}</span>` : nothing}${field(one)}`;
  return [21, 22].includes(one.type) ? html`<fieldset><legend>${label}</legend>${inside}</fieldset>` : html`<label class="field"><span>${label ?? ''}</span>${inside}</label>`;
}

function field(one) {
  const required = one.required ?? true;
  if (one.type === 4 && one.style === 2) {
    return html`<textarea name=${one.custom_id} rows="4" ?required=${required} minlength=${one.min_length ?? 0} maxlength=${one.max_length ?? 4000} placeholder=${one.placeholder ?? ''} .defaultValue=${one.value ?? ''}></textarea>`;
  }
  if (one.type === 4) {
    return html`<input name=${one.custom_id} ?required=${required} minlength=${one.min_length ?? 0} maxlength=${one.max_length ?? 4000} placeholder=${one.placeholder ?? ''} .defaultValue=${one.value ?? ''}>`;
  }
  if ([21, 22].includes(one.type)) {
    return one.options.map((each) => html`<label class="box"><input type=${one.type === 21 ? 'radio' : 'checkbox'} name=${one.custom_id} value=${each.value} .defaultChecked=${each.default ?? false}> ${each.label}
      ${each.description ? html`<span class="small">${each.description}</span>` : nothing}</label>`);
  }
  if (one.type === 23) return html`<input type="checkbox" name=${one.custom_id} value="true" .defaultChecked=${one.default ?? false}>`;
  return html`<select name=${one.custom_id} ?multiple=${(one.max_values ?? 1) > 1} ?required=${required && (one.min_values ?? 1) > 0}>
    ${(one.max_values ?? 1) > 1 ? nothing : html`<option value="">${one.placeholder ?? 'Choose…'}</option>`}
    ${pairsOf(one).map(([value, label, set]) => html`<option value=${value} ?selected=${set ?? false}>${label}</option>`)}</select>`;
}

/** What somebody filled in: custom id → text, or a list of what was chosen. */
export function read(list, data) {
  const values = {};
  for (const one of list) {
    const inner = one.type === 18 ? [one.component] : one.components;
    if (inner) Object.assign(values, read(inner, data));
    else if (one.custom_id) values[one.custom_id] = one.type === 4 ? data.get(one.custom_id) ?? '' : data.getAll(one.custom_id).filter((each) => each !== '');
  }
  return values;
}
