// A prerendered page, the same for everyone who may read it.
export default function Handbook() {
  return <h1>Handbook</h1>;
}
