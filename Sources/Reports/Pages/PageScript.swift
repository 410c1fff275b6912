/// The script of a page with figures or prompts: shows what lies under the pointer, and on the
/// keyboard's focus what the arrow keys lead to.
///
/// Points and bars say their values in `title` elements, which browsers show by themselves without
/// script; the cells of heat maps lie in one attribute. The script is written without `<` and `&`,
/// so that the page stays well-formed XML.
let pageScript = """

  (() => {
    "use strict";
    const make = name => {
      const element = document.createElement("div");
      element.id = name;
      element.hidden = true;
      document.body.append(element);
      return element;
    };
    const frame = make("pointed");
    const tip = make("tip");
    tip.setAttribute("role", "status");
    let shown = null;

    const hide = () => {
      shown = null;
      tip.hidden = true;
      frame.hidden = true;
    };
    const place = () => {
      if (shown === null) return;
      const box = shown();
      frame.style.left = box.left - 2 + "px";
      frame.style.top = box.top - 2 + "px";
      frame.style.width = box.width + "px";
      frame.style.height = box.height + "px";
      const room = document.documentElement.clientWidth - tip.offsetWidth - 4;
      const middle = box.left + (box.width - tip.offsetWidth) / 2;
      const above = box.top - tip.offsetHeight - 8;
      tip.style.left = Math.max(4, Math.min(room, middle)) + "px";
      tip.style.top = (above > 4 ? above : box.top + box.height + 8) + "px";
    };
    const show = (text, box) => {
      tip.textContent = text;
      tip.hidden = false;
      frame.hidden = false;
      shown = box;
      place();
    };

    // Elements that carry their own text.
    const marks = elements => {
      const boxes = () => elements.map(element => element.getBoundingClientRect());
      const middle = box => [box.left + box.width / 2, box.top + box.height / 2];
      return {
        columns: 1,
        count: elements.length,
        box: index => elements[index].getBoundingClientRect(),
        // Points that hide each other are told together.
        text: index => {
          const all = boxes();
          const [x, y] = middle(all[index]);
          return elements.filter((element, other) => {
            const [left, top] = middle(all[other]);
            return 1.5 > Math.hypot(left - x, top - y);
          }).map(element => element.dataset.text).join("\\n");
        },
        at: (x, y) => {
          let found = -1;
          let least = 16;
          boxes().forEach((box, index) => {
            const across = Math.max(box.left - x, 0, x - box.right);
            const down = Math.max(box.top - y, 0, y - box.bottom);
            const [left, top] = middle(box);
            // Of several boxes around the pointer, the one with the nearest middle.
            const far = Math.hypot(across, down) + Math.hypot(left - x, top - y) / 1000;
            if (least > far) [least, found] = [far, index];
          });
          return found;
        }
      };
    };

    // Cells of equal size, whose texts lie in one attribute.
    const cells = area => {
      const {rows, columns, texts} = JSON.parse(area.dataset.cells);
      const values = texts.split("\\n");
      const row = index => Math.floor(index / columns.length);
      const column = index => index % columns.length;
      return {
        columns: columns.length,
        count: rows.length * columns.length,
        box: index => {
          const box = area.getBoundingClientRect();
          const width = box.width / columns.length;
          const height = box.height / rows.length;
          return {
            left: box.left + column(index) * width, top: box.top + row(index) * height,
            width: width, height: height
          };
        },
        text: index => rows[row(index)] + ", " + columns[column(index)] + ": " + values[index],
        at: (x, y) => {
          const box = area.getBoundingClientRect();
          const across = Math.floor((x - box.left) / box.width * columns.length);
          const down = Math.floor((y - box.top) / box.height * rows.length);
          const isOutside = 0 > across || 0 > down || across >= columns.length
            || down >= rows.length;
          return isOutside ? -1 : down * columns.length + across;
        }
      };
    };

    const attach = (host, targets) => {
      let current = 0;
      const point = index => {
        if (index > -1) {
          current = index;
          show(targets.text(index), () => targets.box(index));
        } else hide();
      };
      const follow = event => point(targets.at(event.clientX, event.clientY));
      const onto = index => {
        point(Math.max(0, Math.min(targets.count - 1, index)));
      };
      host.setAttribute("tabindex", "0");
      host.addEventListener("pointermove", follow);
      host.addEventListener("pointerdown", follow);
      host.addEventListener("pointerleave", event => {
        if (event.pointerType !== "touch") hide();
      });
      host.addEventListener("focus", () => { if (host.matches(":focus-visible")) onto(current); });
      host.addEventListener("blur", hide);
      host.addEventListener("keydown", event => {
        if (event.key === "Escape") return hide();
        const step = {
          ArrowRight: 1, ArrowLeft: -1, ArrowDown: targets.columns, ArrowUp: -targets.columns,
          Home: -targets.count, End: targets.count
        }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        onto(current + step);
      });
    };

    for (const picture of document.querySelectorAll(".picture > svg")) {
      const area = picture.querySelector("[data-cells]");
      const elements = [...picture.querySelectorAll("title")].map(title => {
        const element = title.parentNode;
        element.dataset.text = title.textContent;
        title.remove();
        return element;
      });
      const targets = area === null ? marks(elements) : cells(area);
      if (targets.count > 0) attach(picture, targets);
    }
    for (const prompt of document.querySelectorAll(".prompt")) {
      const elements = [...prompt.querySelectorAll("[title]")];
      for (const element of elements) {
        element.dataset.text = element.title;
        element.removeAttribute("title");
      }
      if (elements.length > 0) attach(prompt, marks(elements));
    }
    addEventListener("scroll", place, true);
    addEventListener("resize", hide);
    document.addEventListener("pointerdown", event => {
      if (event.target.closest(".picture, .prompt") === null) hide();
    });
  })();

  """
