export const getStaticProps = async () => ({ props: { name: "static" } });

export default ({ name }: { name: string }) => <p>{`page=${name}`}</p>;
