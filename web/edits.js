// The edits of this player's race, for servers that take them: what was typed, with the time since START. They are sent in
// batches, and again where the server has not received them, so that nothing is lost and nothing counts twice.

// The sub-protocol of the race's socket.
export const PROTOCOL = 'typephoon.v2';

// Milliseconds between two batches: after a pause, an edit is sent at once.
const PAUSE = 50;

// The bounds of a frame.
const EDITS = 100;
const CHARACTERS = 2_000;
const TYPED = 64;

export class Edits {
  // How many the server has, or is being sent; null until it has told.
  #sent = null;
  // Whether the connection is one on which the server takes edits.
  #isTaken = false;
  #last = -Infinity;
  #timer = null;

  // `list` has all edits of the race; `send(frame)` returns whether there was a connection.
  constructor(list, send) {
    this.list = list;
    this.send = send;
  }

  get isOn() {
    return this.#sent !== null && this.#sent <= this.list.length;
  }

  // Whether positions are to be sent instead: the server takes no edits, or it has other ones, of another window.
  get isOff() {
    return !this.#isTaken || (this.#sent !== null && !this.isOn);
  }

  // There is a new connection, or none: what has arrived is not known yet.
  connect(protocol) {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#sent = null;
    this.#isTaken = protocol === PROTOCOL;
  }

  // The server has received so many; `again`: the others have to be sent again.
  acknowledge({ seq, again }) {
    if (again || this.#sent === null) this.#sent = seq;
    if (this.isOn) this.flush();
  }

  // Adds an edit that was made so many milliseconds after START, and returns that time: the clock does not go back.
  add(at, { ins = '', ...edit }) {
    const time = Math.max(at, this.list.at(-1)?.at ?? 0);
    const parts = cut(ins);
    this.list.push({ at: time, ...edit, ...(parts[0] && { ins: parts[0] }) });
    const { composing } = edit;
    for (const part of parts.slice(1)) this.list.push({ at: time, ins: part, ...(composing && { composing }) });
    if (this.isOn) this.#soon();
    return time;
  }

  #soon() {
    const wait = this.#last + PAUSE - performance.now();
    if (wait <= 0) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), wait);
  }

  // Sends what was not sent.
  flush() {
    clearTimeout(this.#timer);
    this.#timer = null;
    while (this.isOn && this.#sent < this.list.length) {
      const edits = batch(this.list.slice(this.#sent, this.#sent + EDITS));
      if (!this.send({ event: 'EDITS', seq: this.#sent, edits })) return;
      this.#sent += edits.length;
      this.#last = performance.now();
    }
  }
}

// A long text in parts, not cut within a character.
function cut(text) {
  if (text.length <= TYPED) return [text];
  const letters = [...text];
  const parts = [];
  for (let at = 0; at < letters.length; at += TYPED) parts.push(letters.slice(at, at + TYPED).join(''));
  return parts;
}

// The first of these edits that fit into a frame.
function batch(edits) {
  let characters = 0;
  const end = edits.findIndex((edit, at) => {
    characters += JSON.stringify(edit).length;
    return at > 0 && characters > CHARACTERS;
  });
  return end < 0 ? edits : edits.slice(0, end);
}
