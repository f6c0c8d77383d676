import { caller } from "countersign/next";

export default async function Dashboard({ params }: { params: Promise<{ org: string }> }) {
  const { org } = await params;
  const who = await caller({ path: `/${org}/dashboard` });
  return (
    <main>
      <h1>{org}</h1>
      <p id="caller">{who?.subject}</p>
    </main>
  );
}
