import { redirect } from "next/navigation";
import { said } from "../../../lib/said";

async function act() {
  "use server";
  redirect(`/acted?${await said({ path: "/docs/place/acme" })}`);
}

export default async function Place({ params }: { params: Promise<{ org: string }> }) {
  const { org } = await params;
  return (
    <form action={act}>
      <p>{await said({ path: `/docs/place/${org}` })}</p>
      <button>act</button>
    </form>
  );
}
