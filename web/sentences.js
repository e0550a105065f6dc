// What players are told when something fails, by the codes of the contract.

const FAILURES = {
  NETWORK: 'The server does not answer.',
  GAME_NOT_FOUND: 'This race is over, and its traces are gone.',
  GAME_LOST: 'This race was lost on the server.',
  WORDS_NOT_FOUND: 'This race is over, and its traces are gone.',
  NOT_A_PARTICIPANT: 'You are not in this race.',
  NOT_THE_HOST: 'Only the host can start this race.',
  NOT_A_GUEST: 'You are logged in, and your name is that of your account.',
  GAME_NOT_STARTED: 'The server says that this race has not started.',
  KEYSTROKES_NOT_SEEN:
    'Not ranked: hardly any of your keystrokes reached the server. A lost connection may be the cause.',
  TEXT_NOT_TYPED: 'Not ranked: too much of the text was left out. Nine tenths of it have to be typed.',
  VALIDATION_ERROR: 'The server did not understand that.',
  TOO_MANY_REQUESTS: 'That was too often. Wait a minute.',
  TOKEN_NOT_PROVIDED: 'Your browser keeps no cookie of this page, and without it you cannot race.',
  TOKEN_EXPIRED: 'You were logged out. Log in again.',
  INVALID_TOKEN: 'The server does not know you any more. Log in again, or play as a guest.',
  REFRESH_TOKEN_MISSMATCH: 'You were logged out. Log in again.',
  LOGGED_OUT: 'You were logged out.',
  NAME_TAKEN: 'Somebody else has this name.',
  WRONG_CREDENTIALS: 'No account has this name and password.',
  KEY_NOT_FOUND: 'It took too long to let you in.',
  SERVICE_UNAVAILABLE: 'The server is busy or restarting.',
  4429: 'That was too much at once.',
  4501: 'The server does not know you any more.',
  4502: 'You were logged out.',
  4503: 'You are not in this race.',
  4504: 'This race is over, and its traces are gone.',
  4509: 'You went on in another window.',
};

export function sentence(code) {
  // A browser that keeps cookies refuses only those that the server wants to have sent by HTTPS.
  const isPlain = location.protocol === 'http:' && navigator.cookieEnabled;
  if (code === 'TOKEN_NOT_PROVIDED' && isPlain) return NO_PLAIN_HTTP;
  return FAILURES[code] ?? 'Something went wrong on the server.';
}

const NO_PLAIN_HTTP =
  "The server's setting cookies.secure forbids its cookie over plain HTTP at this address. " +
  'Without it you cannot race.';

// Of `/?reason=…`, where a failed login ends.
const LOGIN = {
  access_denied: 'You did not agree at the provider. Try again, if you like.',
  unknown_state: 'The login took too long, or was finished before. Begin again.',
  other_browser: 'The login was begun in another browser, or cookies are off. Begin again, with cookies.',
  not_configured: 'This way to log in is not set up here. Take another one.',
  provider_unavailable: 'The provider does not answer. Try again later.',
  provider_error: 'The provider reported an error. Try again later.',
  code_refused: 'The provider did not take the login. Begin again.',
  invalid_identity: 'What the provider said about you cannot be trusted. Please tell the operator.',
  too_many_requests: 'That was too often. Try again in a minute.',
  server_error: 'Something failed on the server. Try again later.',
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
