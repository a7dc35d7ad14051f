() => {
  const faults = [];
  const box = (element) => element.getBoundingClientRect();
  const bodies = [...document.querySelectorAll(".pill")].map((pill) => {
    const body = box(pill.querySelector(".body"));
    const [name, chance] = [".name", ".chance"].map((part) => box(pill.querySelector(part)));
    for (const text of [name, chance]) {
      if (text.width && (text.left < body.left || text.right > body.right)) faults.push(`out: ${pill.textContent}`);
    }
    if (chance.width && name.right > chance.left) faults.push(`name on chance: ${pill.textContent}`);
    return body;
  });
  const all = [...bodies, ...[...document.querySelectorAll("text.token:not(.far)")].map(box)];
  all.forEach((a, index) => {
    for (const b of all.slice(index + 1)) {
      const beside = a.left >= b.right - 1 || b.left >= a.right - 1;
      if (!beside && a.top < b.bottom - 2 && b.top < a.bottom - 2) faults.push(`overlap at ${a.left} ${a.top}`);
    }
  });
  const home = document.querySelector(".drawing");
  if (home.scrollWidth > home.clientWidth) faults.push("too wide");
  if (parseFloat(getComputedStyle(document.querySelector(".pill .name")).fontSize) < 12) faults.push("small text");
  return faults;
}
