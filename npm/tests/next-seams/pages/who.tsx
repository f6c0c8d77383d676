import type { GetServerSideProps } from "next";

export const getServerSideProps: GetServerSideProps = async ({ req, locale }) => ({ props: { locale, subject: req.headers["x-auth-subject"] ?? null } });

export default ({ locale, subject }: { locale: string; subject: string | null }) => <p>{`page=who locale=${locale} subject=${subject}`}</p>;
