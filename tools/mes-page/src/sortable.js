// Tables that can be put in order, and chosen from; a row may tell the candles which trade to show.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0], rows = [...body.rows];
  const by = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.by === undefined ? cell.textContent : Number(cell.dataset.by);
  };
  const order = (head, column) => {
    // Numbers begin with the greatest, text with the first letter; a second click turns it round.
    const number = head.classList.contains("n"), now = head.getAttribute("aria-sort");
    const way = now ? (now === "ascending" ? "descending" : "ascending") : number ? "descending" : "ascending";
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", way);
    const sign = way === "ascending" ? 1 : -1;
    const keys = new Map(rows.map((row, at) => [row, [by(row, column), at]]));
    const least = (a, b) => a < b ? -1 : a > b ? 1 : 0;
    rows.sort((one, other) => {
      const [a, b] = [keys.get(one), keys.get(other)];
      return sign * least(a[0], b[0]) || a[1] - b[1];
    });
    body.append(...rows);
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    button.addEventListener("click", () => order(head, column));
    head.append(button);
  });

  const choices = heads.filter(head => head.dataset.choose !== undefined);
  if (choices.length) {
    const bar = document.createElement("p"), said = document.createElement("span");
    bar.className = "choose"; said.className = "caption";
    said.setAttribute("role", "status");
    const selects = choices.map(head => {
      const column = heads.indexOf(head), label = document.createElement("label"), select = document.createElement("select");
      const values = [...new Set(rows.map(row => row.cells[column].textContent))].sort();
      for (const value of ["all", ...values]) {
        const option = document.createElement("option");
        option.textContent = option.value = value;
        select.append(option);
      }
      label.append(head.textContent + " ", select);
      bar.append(label);
      return [column, select];
    });
    const choose = () => {
      let shown = 0;
      for (const row of rows) {
        row.hidden = selects.some(([column, { value, selectedIndex }]) => selectedIndex && row.cells[column].textContent !== value);
        shown += !row.hidden;
      }
      said.textContent = shown + " of " + rows.length;
    };
    selects.forEach(([, select]) => select.addEventListener("change", choose));
    bar.append(said);
    table.parentElement.before(bar);
    choose();
  }

  if (table.dataset.jumps === undefined || !document.querySelector(".candles")) continue;
  const jump = row => {
    table.querySelector("tr.chosen")?.classList.remove("chosen");
    row.classList.add("chosen");
    document.dispatchEvent(new CustomEvent("show-trade", { detail: Number(row.dataset.number) }));
  };
  for (const row of rows) {
    const cell = row.cells[0], button = document.createElement("button");
    button.append(...cell.childNodes);
    button.title = "show it in the chart";
    cell.append(button);
    row.addEventListener("click", () => jump(row));
  }
}
