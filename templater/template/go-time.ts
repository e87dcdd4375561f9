/** A time in UTC by a Go layout, or `unix` for its seconds. Pure. */
export function goTime(time: Date, layout: string): string {
  if (layout === 'unix') return String(Math.floor(time.getTime() / 1000));
  return layout.replace(PARTS, (part) => WRITERS.find(([pattern]) => pattern.test(part))?.[1](time, part) ?? part);
}

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const PARTS =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|__2|002|01|02|03|04|05|06|15|PM|pm|Z07:00:00|Z070000|Z07:00|Z0700|Z07|-07:00:00|-070000|-07:00|-0700|-07|[.,](?:0+|9+)(?!\d)|_2|1|2|3|4|5/g;

type Writer = (time: Date, part: string) => string;

const two = (number: number) => String(number).padStart(2, '0');
const hour12 = (time: Date) => time.getUTCHours() % 12 || 12;
const dayOfYear = (time: Date) => Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;

const WRITERS: readonly (readonly [RegExp, Writer])[] = [
  [/^January$/, (time) => MONTHS[time.getUTCMonth()] ?? ''],
  [/^Jan$/, (time) => (MONTHS[time.getUTCMonth()] ?? '').slice(0, 3)],
  [/^Monday$/, (time) => DAYS[time.getUTCDay()] ?? ''],
  [/^Mon$/, (time) => (DAYS[time.getUTCDay()] ?? '').slice(0, 3)],
  [/^MST$/, () => 'UTC'],
  [/^2006$/, (time) => String(time.getUTCFullYear()).padStart(4, '0')],
  [/^06$/, (time) => two(time.getUTCFullYear() % 100)],
  [/^__2$/, (time) => String(dayOfYear(time)).padStart(3)],
  [/^002$/, (time) => String(dayOfYear(time)).padStart(3, '0')],
  [/^01$/, (time) => two(time.getUTCMonth() + 1)],
  [/^1$/, (time) => String(time.getUTCMonth() + 1)],
  [/^02$/, (time) => two(time.getUTCDate())],
  [/^_2$/, (time) => String(time.getUTCDate()).padStart(2)],
  [/^2$/, (time) => String(time.getUTCDate())],
  [/^15$/, (time) => two(time.getUTCHours())],
  [/^03$/, (time) => two(hour12(time))],
  [/^3$/, (time) => String(hour12(time))],
  [/^04$/, (time) => two(time.getUTCMinutes())],
  [/^4$/, (time) => String(time.getUTCMinutes())],
  [/^05$/, (time) => two(time.getUTCSeconds())],
  [/^5$/, (time) => String(time.getUTCSeconds())],
  [/^PM$/, (time) => (time.getUTCHours() < 12 ? 'AM' : 'PM')],
  [/^pm$/, (time) => (time.getUTCHours() < 12 ? 'am' : 'pm')],
  [/^Z07/, () => 'Z'],
  [/^-07/, (_, part) => part.replace('-07', '+00')],
  [/^[.,]0/, (time, part) => part.slice(0, 1) + fraction(time, part.length - 1)],
  [/^[.,]9/, (time, part) => (part.slice(0, 1) + fraction(time, part.length - 1)).replace(/[.,]?0+$/, '')],
];

/** Of a second; JavaScript's clock ends at milliseconds. */
function fraction(time: Date, digits: number): string {
  return String(time.getUTCMilliseconds()).padStart(3, '0').padEnd(9, '0').slice(0, digits);
}
