// Dates, days and lists in words.  24 hours, ISO dates, UTC beside local time.

/** A date of the API: ISO, or without its punctuation. @param {string} text @returns {Date|null} */
export function date(text) {
  const plain = /^(\d{4})(\d\d)(\d\d)T(\d\d:\d\d:\d\d)Z?$/.exec(text ?? '')
  const read = new Date(plain ? `${plain[1]}-${plain[2]}-${plain[3]}T${plain[4]}Z` : text)
  return Number.isNaN(read.getTime()) ? null : read
}

const two = number => String(number).padStart(2, '0')

/** @param {Date|string|null} at */
export function when(at) {
  const read = typeof at === 'string' ? date(at) : at
  if (!read) return 'unknown'
  const local = `${read.getFullYear()}-${two(read.getMonth() + 1)}-${two(read.getDate())} ${two(read.getHours())}:${two(read.getMinutes())}`
  const utc = read.toISOString()
  if (read.getTimezoneOffset() === 0) return `${local} UTC`
  return `${local} (${utc.slice(0, 16).replace('T', ' ')} UTC)`
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
  return days < 7 ? 'bad' : days < 30 ? 'warn' : 'good'
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
