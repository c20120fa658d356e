// Colours of owners: hue and lightness differ together, so that they stay apart in every kind of colour vision.

const HUES = [258, 68, 172, 352, 118, 222, 305, 40];
const CHROMA = [0.15, 0.115, 0.09, 0.13, 0.11, 0.1, 0.13, 0.09];
const START = [0.3, 0.85, 0.55, 0.95, 0.65, 0.4, 0.6, 0.3]; // where in the range of lightness a hue's first shade lies
const LIGHT = [0.35, 0.65]; // 3:1 or more against a white card
const DARK = [0.55, 0.87]; // and against a dark one

/**
 * Give every member a colour, as {light, dark} and whether text on it is dark.
 *
 * Several data centres: one hue each, a shade for each rack. One with several racks: one hue for each rack, with
 * two near shades for its members in turn while they are few. One rack alone: hues by member.
 */
export function paint(model) {
  const colours = new Map();
  const racks = model.dcs.reduce((sum, dc) => sum + dc.racks.length, 0);
  model.dcs.forEach((dc, dcIndex) => {
    dc.racks.forEach((rack, rackIndex) => {
      rack.members.forEach((member, index) => {
        let colour;
        if (model.dcs.length > 1) colour = shade(dcIndex, dc.racks.length > 1 ? rackIndex / (dc.racks.length - 1) : 0.5);
        else if (racks > 1) colour = hue(rackIndex, rack.members.length > 1 && rack.members.length <= 4 ? (index % 2 ? 0.1 : -0.1) : 0);
        else colour = hue(index % HUES.length, 0);
        colours.set(member.hostId, colour);
        rack.colour ??= model.dcs.length > 1 ? colour : hue(rackIndex, 0);
      });
    });
  });
  return colours;
}

/** What the colours stand for: "data centre and rack", "rack" or "member". */
export function meaning(model) {
  if (model.dcs.length > 1) return "rack";
  return model.dcs[0]?.racks.length > 1 ? "rack" : "member";
}

function hue(number, more) {
  const at = Math.min(1, Math.max(0, START[number % HUES.length] + more));
  return colour(number, at);
}

function shade(number, at) {
  return colour(number, at);
}

function colour(number, at) {
  const kind = number % HUES.length;
  const light = LIGHT[0] + at * (LIGHT[1] - LIGHT[0]);
  const dark = DARK[0] + at * (DARK[1] - DARK[0]);
  const write = (lightness) => `oklch(${lightness.toFixed(3)} ${CHROMA[kind]} ${HUES[kind]})`;
  const on = (lightness) => (lightness < 0.57 ? "#fff" : "#000");
  return {
    light: write(light),
    dark: write(dark),
    css: `light-dark(${write(light)}, ${write(dark)})`,
    on: `light-dark(${on(light)}, ${on(dark)})`,
  };
}
