/* Full-text search over SEARCHED, which search_index.js holds: every word asked for must be in a section.
   The question stands in the address (#q=words), so that results can be linked to and gone back to. */
"use strict";

const MOST_RESULTS = 50;
const AROUND = 120; // characters shown on either side of the first hit
const field = document.getElementById("search");
const results = document.getElementById("results");

const element = (name, text = "") => Object.assign(document.createElement(name), { textContent: text });
const asked = (question) => question.toLowerCase().split(/\s+/).filter(Boolean);
const times = (word, text) => text.toLowerCase().split(word).length - 1;

function score(section, words) {
  const found = words.map((word) => 10 * times(word, section.heading) + times(word, section.text));
  return found.every(Boolean) ? found.reduce((sum, one) => sum + one) : 0;
}

function marked(text, words) {
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const line = element("p");
  text.split(new RegExp(`(${escaped.join("|")})`, "i")).forEach((part, place) => {
    line.append(place % 2 ? element("mark", part) : part);
  });
  return line;
}

function excerpt(text, words) {
  const lower = text.toLowerCase();
  const places = words.map((word) => lower.indexOf(word)).filter((place) => place >= 0);
  const first = places.length ? Math.min(...places) : 0;
  const from = first > AROUND ? text.indexOf(" ", first - AROUND) + 1 : 0;
  const to = text.indexOf(" ", first + AROUND);
  return (from ? "… " : "") + text.slice(from, to < 0 ? undefined : to) + (to < 0 ? "" : " …");
}

function item(section, words) {
  const link = element("a", section.heading === section.chapter ? section.chapter : `${section.chapter}: ${section.heading}`);
  link.href = section.address;
  const entry = element("li");
  entry.append(link, marked(excerpt(section.text, words), words));
  return entry;
}

function show(question) {
  const words = asked(question);
  document.body.classList.toggle("searching", words.length > 0);
  results.hidden = words.length === 0;
  if (!words.length) return;
  const found = SEARCHED.map((section) => [score(section, words), section])
    .filter(([points]) => points > 0)
    .sort(([one], [other]) => other - one);
  const count = found.length === 1 ? "1 section" : `${found.length} sections`;
  const list = element("ol");
  list.append(...found.slice(0, MOST_RESULTS).map(([, section]) => item(section, words)));
  results.replaceChildren(element("h2", `${count} with “${question.trim()}”`), list);
}

function followAddress() {
  const question = location.hash.startsWith("#q=") ? decodeURIComponent(location.hash.slice(3)) : "";
  field.value = question;
  show(question);
  const target = !question && location.hash && document.getElementById(location.hash.slice(1));
  if (target) target.scrollIntoView(); // it was hidden behind the results when the browser went there
}

field.addEventListener("input", () => {
  const question = field.value.trim() ? `#q=${encodeURIComponent(field.value)}` : location.pathname;
  history.replaceState(null, "", question);
  show(field.value);
});
window.addEventListener("hashchange", followAddress);
followAddress();
