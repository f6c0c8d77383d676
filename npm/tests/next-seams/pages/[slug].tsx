import type { GetServerSideProps } from "next";

export const getServerSideProps: GetServerSideProps = async ({ params }) => ({ props: { slug: params?.slug } });

export default ({ slug }: { slug: string }) => <p>{`page=slug slug=${slug}`}</p>;
