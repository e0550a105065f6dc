// Messages for players, by error code and close code.

const FAILURES = {
  NETWORK: 'The server is not responding.',
  GAME_NOT_FOUND: 'This race is over and no longer available.',
  GAME_LOST: 'The server lost this race. Please start a new one.',
  WORDS_NOT_FOUND: 'This race is over and no longer available.',
  NOT_A_PARTICIPANT: 'You are not in this race.',
  NOT_PERMITTED: 'Your account has no permission for that.',
  NOT_THE_HOST: 'Only the host can start this race.',
  NOT_A_GUEST: 'You are logged in, so you play under your account name.',
  GAME_NOT_STARTED: 'This race has not started yet.',
  KEYSTROKES_NOT_SEEN: 'Not ranked: hardly any of your keystrokes reached the server. Did you lose your connection?',
  TEXT_NOT_TYPED: 'Not ranked: you skipped too much of the text. Type at least nine tenths of it.',
  VALIDATION_ERROR: 'Something you entered is not valid. Check it and try again.',
  TOO_MANY_REQUESTS: 'Too many attempts. Wait a minute and try again.',
  TOKEN_NOT_PROVIDED: 'Your browser blocks cookies for this page. Allow them to play.',
  TOKEN_EXPIRED: 'You were logged out. Log in again.',
  INVALID_TOKEN: 'Your login is no longer valid. Log in again or play as a guest.',
  REFRESH_TOKEN_MISSMATCH: 'You were logged out. Log in again.',
  LOGGED_OUT: 'You were logged out.',
  NAME_TAKEN: 'This name is already taken.',
  WRONG_CREDENTIALS: 'Wrong name or password.',
  KEY_NOT_FOUND: 'Joining took too long. Try again.',
  SERVICE_UNAVAILABLE: 'The server is busy or restarting. Try again in a moment.',
  4429: 'Too many messages at once. Slow down and try again.',
  4501: 'Your login is no longer valid.',
  4502: 'You were logged out.',
  4503: 'You are not in this race.',
  4504: 'This race is over and no longer available.',
  4509: 'You are playing in another window now.',
  4512: 'The operator of this server closed your connection.',
};

export function sentence(code) {
  // A browser with cookies enabled still drops `Secure` ones on plain HTTP.
  const isPlain = location.protocol === 'http:' && navigator.cookieEnabled;
  if (code === 'TOKEN_NOT_PROVIDED' && isPlain) return NO_PLAIN_HTTP;
  return FAILURES[code] ?? 'Something went wrong on the server.';
}

const NO_PLAIN_HTTP =
  'This server only accepts logins over HTTPS (setting cookies.secure), and this page was opened over plain HTTP. ' +
  'Ask the operator for the HTTPS address.';

// By the reason in `/?reason=…`, where a failed login lands.
const LOGIN = {
  access_denied: 'You cancelled the login.',
  unknown_state: 'The login took too long or was already completed. Start again.',
  other_browser: 'The login was started in another browser, or cookies are off. Start again with cookies on.',
  not_configured: 'This login is not set up on this server. Choose another one.',
  provider_unavailable: 'The provider is not responding. Try again later.',
  provider_error: 'The provider reported an error. Try again later.',
  code_refused: 'The provider rejected the login. Start again.',
  invalid_identity: "The provider's answer could not be verified. Please tell the operator.",
  too_many_requests: 'Too many attempts. Try again in a minute.',
  server_error: 'Something went wrong on the server. Try again later.',
};

export const loginSentence = (reason) => `You are not logged in. ${LOGIN[reason] ?? LOGIN.server_error}`;

export function nth(number) {
  const teens = number % 100 >= 11 && number % 100 <= 13;
  return `${number}${(!teens && { 1: 'st', 2: 'nd', 3: 'rd' }[number % 10]) || 'th'}`;
}

export const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

// Seconds as 0:07.
export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

// The place of a result: among all in the race, if that is on record, since the rank counts people only.
export const placeInWords = ({ rank, place, racers }) => {
  if (racers === 1) return 'alone';
  return racers === undefined ? nth(rank) : `${nth(place)} of ${racers}`;
};

// What the figures of a result are based on, in a word.
export const GRADES = { verified: 'Verified', positions: 'Estimated', claimed: 'Claimed' };
