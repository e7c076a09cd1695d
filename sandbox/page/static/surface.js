// The forms that the bot opens: Slack's modals and Discord's, in the browser's own dialog.

import { html, nothing } from './vendor/lit-html/lit-html.js';
import { blocks, plain, read as readSlack } from './blocks.js';
import { fields, read as readDiscord } from './components.js';
import { all, attempt, isMine, paint, ui } from './store.js';

/** Those of whoever acts; of a stack of views the newest. */
export function surfaces() {
  const mine = all('surface').filter((one) => isMine(one.person));
  return mine.slice(-1).map((one) => (one.platform === 'slack' ? slackForm(one) : discordForm(one)));
}

/** What was drawn just now is opened, and only that. */
export function openForms() {
  for (const dialog of document.querySelectorAll('dialog.form:not([open])')) dialog.showModal();
}

function form(one, title, inside, submit, close) {
  return html`<dialog class="form" aria-labelledby="form-title" data-key=${one.key} @cancel=${(event) => { event.preventDefault(); put(one); }}>
    <form @submit=${(event) => sent(event, one)}><header><h2 id="form-title">${title}</h2><span class="small">${one.platform === 'slack' ? 'Slack' : 'Discord'}</span></header>
      ${ui.trouble.form ? html`<p class="wrong" role="alert">${ui.trouble.form}</p>` : nothing}
      ${inside}
      <div class="buttons end"><button type="button" @click=${() => put(one)}>${close}</button>${submit ? html`<button class="primary">${submit}</button>` : nothing}</div></form></dialog>`;
}

function slackForm(one) {
  const { view } = one;
  const acting = {
    click: (action, value) => attempt('form', 'slack.click', { view: one.key, action, value }),
    error: (block) => ui.errors[block],
  };
  return form(one, plain(view.title), blocks(view.blocks, acting), view.submit ? plain(view.submit) : '', view.close ? plain(view.close) : 'Cancel');
}

function discordForm(one) {
  return form(one, one.view.title, fields(one.view.components), 'Submit', 'Cancel');
}

async function sent(event, one) {
  event.preventDefault();
  const data = new FormData(event.target);
  const values = one.platform === 'slack' ? readSlack(one.view, data) : readDiscord(one.view.components, data);
  ui.errors = {};
  const result = await attempt('form', `${one.platform}.submit`, { view: one.key, values });
  if (result && typeof result === 'object') ui.errors = result;
  paint(true);
}

function put(one) {
  ui.errors = {};
  return attempt('form', `${one.platform}.close`, { view: one.key });
}
