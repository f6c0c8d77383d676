// The same for everybody who may read it, and rendered beforehand.
export default function Handbook() {
  return <h1>Handbook</h1>;
}
