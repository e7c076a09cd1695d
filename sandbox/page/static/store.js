// What the feed tells, what is chosen on this page, and how an act is sent. Nothing here draws.

const PAINT_MS = 100; // at most ten paintings a second, however much comes in
const AWAY_MS = 1000; // between two tries to reach a sandbox that is away

export const kinds = new Map(); // type → key → state; messages are in `places` instead
export const places = new Map(); // key of a place → key → message, in the order of arrival
export const ui = {
  person: 'ada',
  place: { slack: '', discord: '' }, // the key of the place that is looked at
  rows: { slack: 200, discord: 200 }, // how many are shown
  thread: { slack: null, discord: null }, // what the composer answers to: { key, name }
  editing: { slack: null, discord: null }, // the message that the composer changes
  files: { slack: [], discord: [] },
  trouble: { slack: '', discord: '', inside: '', form: '' },
  errors: {}, // of a form: under which field which sentence
  menu: null, // { message } whose menu is open
  away: true,
  wasThere: false,
  starters: true,
  about: '', // the switch that is pointed at
};

const typeOf = new Map();
const waiting = new Map();
let socket = null;
let number = 0;
let draw = () => {};
let planned = false;
let paintedAt = 0;

export const all = (type) => [...(kinds.get(type)?.values() ?? [])];
export const one = (type, key) => kinds.get(type)?.get(key);
export const find = (key) => places.get(typeOf.get(key))?.get(key);
export const person = (key) => one('person', key);
export const me = (platform) => all('person').find((p) => p.platform === platform && p.login === ui.person);
export const isMine = (key) => person(key)?.login === ui.person;

export function start(drawing) {
  draw = drawing;
  connect();
}

/** Draw soon; *now* is for what a person has just done. */
export function paint(now = false) {
  if (now) return paintNow();
  if (planned) return undefined;
  planned = true;
  return setTimeout(() => requestAnimationFrame(paintNow), Math.max(0, PAINT_MS - (performance.now() - paintedAt)));
}

function paintNow() {
  planned = false;
  paintedAt = performance.now();
  draw();
}

function connect() {
  socket = new WebSocket(`ws://${location.host}/feed`);
  let isFirst = true;
  socket.onmessage = ({ data }) => {
    const told = JSON.parse(data);
    if ('done' in told) return settle(told);
    if (isFirst) { // the whole of it: what went meanwhile is not in it
      isFirst = false;
      kinds.clear(); places.clear(); typeOf.clear();
      Object.assign(ui, { away: false, wasThere: true });
    }
    told.states.forEach(apply);
    paint();
  };
  socket.onclose = () => {
    ui.away = true;
    for (const { refuse } of waiting.values()) refuse(new Error('The sandbox is away. It was not told.'));
    waiting.clear();
    paint();
    setTimeout(connect, AWAY_MS);
  };
}

function apply(state) {
  const known = typeOf.get(state.key);
  const message = state.type === 'message';
  if (known !== undefined && (state.gone || (message && known !== state.place))) {
    (places.get(known) ?? kinds.get(known))?.delete(state.key);
    typeOf.delete(state.key);
  }
  if (state.gone) return;
  const shelf = message ? places : kinds;
  const name = message ? state.place : state.type;
  if (!shelf.has(name)) shelf.set(name, new Map());
  shelf.get(name).set(state.key, state);
  typeOf.set(state.key, name);
}

function settle({ done, error, result }) {
  const asked = waiting.get(done);
  waiting.delete(done);
  if (!asked) return;
  if (error) asked.refuse(new Error(error)); else asked.accept(result);
}

/** Have something done; rejects with a sentence for people. */
export function act(name, fields = {}) {
  return new Promise((accept, refuse) => {
    if (socket?.readyState !== WebSocket.OPEN) return refuse(new Error('The sandbox is away. It was not told.'));
    const id = ++number;
    waiting.set(id, { accept, refuse });
    socket.send(JSON.stringify({ act: name, id, person: ui.person, ...fields }));
  });
}

/** Do it, and say in *where* (a pane, or the form) what went wrong. */
export async function attempt(where, name, fields) {
  ui.trouble[where] = '';
  try {
    return await act(name, fields);
  } catch (error) {
    ui.trouble[where] = error.message;
    return null;
  } finally {
    paint(true);
  }
}

/** Have a screen reader say it, once. */
export function announce(words) {
  const region = document.getElementById('said');
  if (region) region.textContent = words;
}
