// Dates, days and lists in words.  24 hours, ISO dates, UTC beside local time.

/** A date of the API: ISO, or without its punctuation. @param {string} text @returns {Date|null} */
export function date(text) {
  const plain = /^(\d{4})(\d\d)(\d\d)T(\d\d:\d\d:\d\d)Z?$/.exec(text ?? '')
  const read = new Date(plain ? `${plain[1]}-${plain[2]}-${plain[3]}T${plain[4]}Z` : text)
  return Number.isNaN(read.getTime()) ? null : read
}

const two = number => String(number).padStart(2, '0')

/** @param {Date} at */
const day = at => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`

/** How far a moment's local time is ahead of UTC: +01:00. @param {Date} at */
function offset(at) {
  const minutes = -at.getTimezoneOffset()
  const much = Math.abs(minutes)
  return `${minutes < 0 ? '−' : '+'}${two(Math.floor(much / 60))}:${two(much % 60)}`
}

/**
 * Local time with its offset, so that no hour of a changing clock is two, and UTC beside it.
 * @param {Date|string|null} at
 */
export function when(at) {
  const read = typeof at === 'string' ? date(at) : at
  if (!read) return 'unknown'
  const local = `${day(read)} ${two(read.getHours())}:${two(read.getMinutes())}`
  if (read.getTimezoneOffset() === 0) return `${local} UTC`
  const [utcDay, utcTime] = read.toISOString().slice(0, 16).split('T')
  return `${local} ${offset(read)} (${utcDay === day(read) ? '' : `${utcDay} `}${utcTime} UTC)`
}

/** Whole days from now, downwards: negative once it is over. @param {string} text */
export function daysLeft(text, now = Date.now()) {
  const read = date(text)
  return read ? Math.floor((read.getTime() - now) / 86400000) : NaN
}

/** @param {number} days */
export function daysWords(days) {
  if (Number.isNaN(days)) return 'no date'
  if (days < 0) return days === -1 ? 'expired less than a day ago' : `expired ${-days} days ago`
  if (days === 0) return 'less than a day left'
  return days === 1 ? '1 day left' : `${days} days left`
}

/** How urgent that is; strictly less than 30, 14, 7 days. @param {number} days */
export function tone(days) {
  if (Number.isNaN(days)) return 'warn'
  return days < 7 ? 'bad' : days < 14 ? 'warn' : days < 30 ? 'note' : 'good'
}

const HOUR = 3600000

/**
 * The state of something that is valid from and until: words for it, and how urgent it is.
 * @param {string} from @param {string} until @param {number} [now]
 * @returns {{kind: string, tone: string, words: string, short: string, days: number}}
 */
export function validityState(from, until, now = Date.now()) {
  const days = daysLeft(until, now)
  const ends = date(until)?.getTime() ?? NaN
  const begins = date(from)?.getTime() ?? NaN
  if (Number.isNaN(days)) return { kind: 'warn', tone: 'warn', words: 'no date', short: 'no date', days }
  if (ends <= now)
    return { kind: 'expired', tone: 'bad', words: daysWords(Math.min(days, -1)), short: 'expired', days }
  if (begins > now)
    return { kind: 'early', tone: 'bad', words: 'not yet valid', short: 'not yet valid', days }
  const hours = Math.max(1, Math.floor((ends - now) / HOUR))
  const words = days < 2 ? `${hours} ${hours === 1 ? 'hour' : 'hours'} left` : daysWords(days)
  const short = days < 2 ? `${hours} h left` : `${days} d left`
  const kind = days < 7 ? 'soon7' : days < 14 ? 'soon14' : days < 30 ? 'soon30' : 'good'
  return { kind, tone: tone(days), words, short, days }
}

/** Milliseconds in words, in the unit that fits. @param {number} much */
export function spanWords(much) {
  const seconds = Math.round(Math.abs(much) / 1000)
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`
}

/** @param {string} text */
export function plainThumbprint(text) {
  return text.replace(/[^0-9a-fA-F]/g, '').toUpperCase()
}

/** Not more than so many, and how many more there are. @param {string[]} list */
export function some(list, most = 8) {
  return list.length <= most
    ? list.join(', ')
    : `${list.slice(0, most).join(', ')} and ${list.length - most} more`
}
