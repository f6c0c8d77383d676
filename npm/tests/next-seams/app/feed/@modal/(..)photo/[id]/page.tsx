export const dynamic = "force-dynamic";
export default () => <p>page=intercepted</p>;
