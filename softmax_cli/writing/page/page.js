"use strict";
// The state is what the reader can change: logits, masks, T and the entry that is explained.
// show() computes everything else of it and fills it into elements that are there already.

const live = document.getElementById("live");
const items = [...live.querySelectorAll("li.class")];
const names = items.map((item) => item.querySelector("bdi").textContent);
const classes = names.map((_, k) => k);
const isLog = live.dataset.log === "1";
const precision = Number(live.dataset.p);
const inMatrix = classes.length > 10 ? 2 : precision;
const cells = [...live.querySelector(".matrix tbody").rows].map((row) => [...row.cells].slice(1));
const headings = [...live.querySelector(".matrix thead tr").cells].slice(1);
// Until something moves, the sums are the program's to the last bit.
const sums = cells.map((row) => row.at(-1).textContent);
const told = document.getElementById("told");
const numbers = [...live.querySelectorAll("[data-v]")];
const mentioned = [...live.querySelectorAll("[data-n]")];
const cases = [...live.querySelectorAll(".case")];
// What a template wrote its classes as stays, for the class that stands there now is another.
cases.forEach((each) => { each.written = [Number(each.dataset.j), Number(each.dataset.i)]; });

const start = {
  z: items.map((item) => Math.max(Number(item.dataset.z.replace("inf", "Infinity")), -Number.MAX_VALUE)),
  masked: items.map((item) => item.dataset.z === "-inf"),
  T: Number(live.dataset.t),
  j: Number(live.dataset.j),
  i: Number(live.dataset.i),
};
start.z = start.z.map((z, k) => (start.masked[k] ? 0 : z));
let state, frame, saving;

// --- arithmetic: a number is [value, logarithm of its size], for what a float has no room for

// Neumaier's sum: what rounding drops is added in the end.
function sum(terms) {
  let total = 0, dropped = 0;
  for (const term of terms) {
    const next = total + term;
    dropped += Math.abs(total) >= Math.abs(term) ? (total - next) + term : (term - next) + total;
    total = next;
  }
  return total + dropped;
}

function logSum(logs) {
  const most = Math.max(...logs);
  return most === -Infinity ? most : most + Math.log(sum(logs.map((each) => Math.exp(each - most))));
}

function softmax({ z, masked, T }) {
  const m = Math.max(...z.filter((_, k) => !masked[k]));
  // Only a mask makes a probability 0.
  const a = z.map((x, k) => (masked[k] ? -Infinity : Math.max((x - m) / T, -Number.MAX_VALUE)));
  const e = a.map(Math.exp);
  const top = a.indexOf(0);
  const others = (terms, k) => terms.filter((_, c) => c !== k);
  const R = sum(others(e, top));
  const logS = Math.log1p(R);
  const y = classes.map((k) => [e[k] / (1 + R), a[k] - logS]);
  // 1 - y is the sum of the others.
  const rest = classes.map((k) => [sum(others(e, k)) / (1 + R), logSum(others(a, k)) - logS]);
  return { m, top, a, e, R: [R, logSum(others(a, top))], y, rest };
}

function entry({ y, rest }, T, j, i, ofLog) {
  const [factor, log] = i === j ? rest[j] : [-y[i][0], y[i][1]];
  const [y_j, log_j] = ofLog ? [1, 0] : y[j];
  return [y_j * factor / T, log_j + log - Math.log(T)];
}

// --- numbers as the program shows them: never a lie

function significant([value, log], digits) {
  if (log === -Infinity) return "0";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  let text;
  if (Math.abs(value) >= 2 ** -1022) {
    text = rounded(Math.abs(value), digits);
  } else {
    const power = log / Math.LN10;
    if (power < -999999999) return sign ? ">-1e-999999999" : "<1e-999999999";
    const exponent = Math.floor(power);
    const mantissa = (10 ** (power - exponent)).toFixed(digits - 1);
    text = mantissa.startsWith("10") ? `1${mantissa.slice(2, -1)}e${exponent + 1}` : `${mantissa}e${exponent}`;
  }
  const [mantissa, exponent] = text.split("e");
  if (exponent >= -4 && exponent < digits) return sign + Number(text).toFixed(digits - 1 - exponent);
  return `${sign}${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

// A tie goes to the even digit, where toExponential would go up.
function rounded(size, digits) {
  const [mantissa, exponent] = size.toExponential(80).split("e");
  const kept = mantissa.slice(0, digits === 1 ? 1 : digits + 1);
  const isTie = /^\.?50*$/.test(mantissa.slice(kept.length)) && "02468".includes(kept.at(-1));
  return isTie ? `${kept}e${exponent}` : size.toExponential(digits - 1);
}

function besideOne(number, rest, sign = "-") {
  const shown = significant(number, precision);
  if (Number(shown) !== 1) return shown;
  if (rest[1] === -Infinity) return "1";
  const distance = significant(rest, precision > 6 ? precision : Math.min(precision, 3));
  if (distance.startsWith("<")) return `${sign === "-" ? ">1 -" : "<1 +"} ${distance.slice(1)}`;
  return `1 ${sign} ${distance.replace(/(\.\d*?)0+(?=e|$)/, "$1").replace(/\.(?=e|$)/, "")}`;
}

const given = (value) => String(value).replace(/e([+-])(\d)$/, "e$10$2");
const typographic = (text) => text.replaceAll("-", "−").replace("Infinity", "∞");

// --- showing

const write = (node, text) => { if (node.textContent !== text) node.textContent = text; };

function show() {
  frame = undefined;
  const { z, masked, T, j, i } = state;
  const found = softmax(state);
  const { top, y, rest } = found;
  const isMoved = `${z},${masked},${T}` !== `${start.z},${start.masked},${start.T}`;
  for (const k of classes) {
    const item = items[k];
    const [number, range, mask] = item.inputs;
    if (document.activeElement !== number) number.value = given(z[k]);
    range.value = z[k];
    number.disabled = range.disabled = mask.checked = masked[k];
    item.bar.setAttribute("width", `${y[k][0] ? Math.max(100 * y[k][0], 0.3) : 0}%`);
    item.classList.toggle("top", k === top);
    write(item.y, typographic(besideOne(y[k], rest[k])));
    item.y.dataset.x = y[k][0];
  }
  const [number, range] = temperature.inputs;
  if (document.activeElement !== number) number.value = given(T);
  range.value = Math.log10(T);
  for (const row of classes) {
    const values = [];
    for (const k of classes) {
      const value = entry(found, T, row, k, isLog);
      const cell = cells[row][k];
      const share = value[0] * T * (isLog ? 1 : 4);
      const level = Math.ceil(8 * Math.sqrt(Math.min(Math.abs(share), 1)));
      cell.className = level ? (share > 0 ? "p" : "n") + level : "";
      write(cell, typographic(significant(value, inMatrix)));
      cell.dataset.x = value[0];
      cell.ariaSelected = row === j && k === i;
      values.push(value[0]);
    }
    const total = sum(values);
    const shown = significant([total, Math.log(Math.abs(total))], 2);
    write(cells[row][classes.length], isMoved ? typographic(shown) : sums[row]);
  }
  headings.forEach((heading, k) => heading.classList.toggle("column", k === i));
  explain(found);
}

function explain({ m, top, a, e, R, y, rest }) {
  const { z, masked, T, j, i } = state;
  // The program's own rule for where the exponentials are shown shifted.
  const isSaturated = masked.filter((each) => !each).length > 1 && rest[top][0] < 1e-4;
  const shift = Math.abs(m) / T > 30 || isSaturated ? m : null;
  live.classList.toggle("no-m", shift === null);
  live.classList.toggle("no-T", T === 1);
  const log = (k) => (shift === null ? (masked[k] ? -Infinity : z[k] / T) : a[k]);
  const power = (k) => [Math.exp(log(k)), log(k)];
  const S = () => (shift !== null
    ? besideOne([1 + R[0], 0], R, "+")
    : significant([sum(classes.map((k) => power(k)[0])), 0], precision));
  const shown = {
    z: (k) => given(masked[k] ? -Infinity : z[k]),
    e: (k) => significant(power(k), precision),
    d: (k) => significant([power(k)[0] / T, log(k) - Math.log(T)], precision),
    y: (k) => besideOne(y[k], rest[k]),
    J: (row, k) => significant(entry({ y, rest }, T, row, k, false), precision),
    L: (row, k) => significant(entry({ y, rest }, T, row, k, true), precision),
    D: (row, k) => significant(entry({ y, rest }, T, row, k, isLog), precision),
    S, m: () => given(shift ?? 0), T: () => given(T), 0: () => "0",
  };
  const beside = i === j ? classes.find((k) => k !== j && !masked[k]) ?? classes.find((k) => k !== j) : i;
  for (const each of cases) {
    const [row, k] = each.written;
    const isColumn = each.tagName === "P";
    const entries = isColumn ? [i, i] : [j, row === k ? j : beside];
    [each.dataset.j, each.dataset.i] = entries;
    each.classList.toggle("chosen", !isColumn && entries[1] === i);
  }
  // An element says which class it was written of; in a case the class that is shown now stands for it.
  const current = (node) => {
    const within = node.closest(".case");
    if (!within) return (k) => k;
    return (k) => (k === within.written[0] ? Number(within.dataset.j) : Number(within.dataset.i));
  };
  for (const node of mentioned) write(node, names[current(node)(Number(node.dataset.n))]);
  for (const node of numbers) {
    const [kind, ...at] = [node.dataset.v[0], ...node.dataset.v.slice(1).split(",").filter(Boolean).map(Number)];
    const text = shown[kind](...at.map(current(node)));
    write(node, typographic("b" in node.dataset && /^[-<>]| /.test(text) ? `(${text})` : text));
  }
}

// --- the state in the address: #z=2,1,0.1&T=1&mask=3&entry=1,2

function address() {
  const { z, masked, T, j, i } = state;
  const mask = classes.filter((k) => masked[k]).map((k) => k + 1);
  return `#z=${z}&T=${T}&mask=${mask}&entry=${j + 1},${i + 1}`;
}

function read() {
  state = structuredClone(start);
  const given = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
  const list = (key) => (given.get(key) ?? "").split(",").filter(Boolean).map(Number);
  const [z, [T], [j, i]] = [list("z"), list("T"), list("entry")];
  if (z.length === classes.length && z.every(Number.isFinite)) state.z = z;
  if (T > 0 && T < Infinity) state.T = T;
  if (given.has("mask")) {
    const mask = classes.map((k) => list("mask").includes(k + 1));
    if (mask.includes(false)) state.masked = mask;
  }
  if (j - 1 in classes && i - 1 in classes) [state.j, state.i] = [j - 1, i - 1];
}

function changed() {
  frame ??= requestAnimationFrame(show);
  clearTimeout(saving);
  saving = setTimeout(() => history.replaceState(null, "", address()), 300);
}

// --- what the reader does

function addControls(item, name, change) {
  const made = document.getElementById("controls").content.cloneNode(true);
  item.inputs = [...made.querySelectorAll("input")];
  ["value", "slider", "mask"].forEach((what, k) => { item.inputs[k].ariaLabel = `${what} of the ${name}`; });
  item.inputs.forEach((input) => input.addEventListener("input", () => {
    const { valid } = input.validity;
    write(told, valid ? "" : `The ${name} must be a number${input.min && " above 0"}; the last one is kept.`);
    if (valid) change(input.type, input.type === "checkbox" ? input.checked : input.valueAsNumber);
    changed();
  }));
  item.inputs[0].addEventListener("blur", changed);
  item.querySelector(".static").after(made);
}

items.forEach((item, k) => {
  item.bar = item.querySelector("rect");
  item.y = item.querySelector(".y");
  addControls(item, `logit of ${names[k]}`, (type, value) => {
    if (type !== "checkbox") state.z[k] = value;
    else if (value && state.masked.every((each, c) => each || c === k)) write(told, "One class must stay unmasked.");
    else state.masked[k] = value;
  });
  const [, range] = item.inputs;
  range.min = Math.min(-10, Math.floor(Math.min(...start.z)));
  range.max = Math.max(10, Math.ceil(Math.max(...start.z)));
  const begin = item.querySelector(".start");
  for (const end of ["x1", "x2"]) begin.setAttribute(end, item.bar.getAttribute("width"));
});

const temperature = document.getElementById("temperature");
addControls(temperature, "temperature", (type, value) => {
  state.T = type === "range" ? Number((10 ** value).toPrecision(3)) : value;
});
temperature.querySelector(".mask").remove();
temperature.inputs[0].min = 1e-300;
Object.assign(temperature.inputs[1], { min: -1, max: 1 });

document.getElementById("reset").addEventListener("click", () => {
  state = structuredClone(start);
  write(told, "The numbers of the command are back.");
  changed();
});

document.getElementById("steps").addEventListener("click", () => document.getElementById("of-entry").focus());

function choose(row, k, isChosen) {
  const cell = cells[row]?.[k];
  if (!cell || k === classes.length) return;
  cells.flat().forEach((each) => { each.tabIndex = -1; });
  cell.tabIndex = 0;
  cell.focus();
  if (!isChosen) return;
  Object.assign(state, { j: row, i: k });
  changed();
}

const table = live.querySelector(".matrix");
table.setAttribute("role", "grid");
cells.forEach((row) => row.slice(0, -1).forEach((cell) => { cell.tabIndex = -1; }));
cells[start.j][start.i].tabIndex = 0;
const position = (cell) => [cell.parentNode.sectionRowIndex, cell.cellIndex - 1];
table.addEventListener("click", ({ target }) => {
  if (target.matches("td[tabindex]")) choose(...position(target), true);
});
table.addEventListener("keydown", (event) => {
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Enter: [0, 0], " ": [0, 0] };
  const move = moves[event.key];
  if (!move || !event.target.matches("td[tabindex]")) return;
  event.preventDefault();
  const [row, k] = position(event.target);
  choose(row + move[0], k + move[1], !move[0] && !move[1]);
});

addEventListener("hashchange", () => { read(); frame ??= requestAnimationFrame(show); });
document.documentElement.classList.add("live");
read();
show();
