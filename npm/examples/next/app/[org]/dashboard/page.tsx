import { caller } from "countersign/next";

export default async function Dashboard({ params }: { params: Promise<{ org: string }> }) {
  const [who, { org }] = await Promise.all([caller(), params]);
  return (
    <main>
      <h1>{org}</h1>
      <p id="caller">{who?.subject}</p>
    </main>
  );
}
