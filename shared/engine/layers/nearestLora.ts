/** From weights that were tuned whole to the adapter that comes nearest to them: `mergeLora` the other way round. */
import { EigenvalueDecomposition, Matrix, QrDecomposition } from "ml-matrix";
import { normals } from "../random.ts";
import { adapterRoot, type Lora, type Placement, scaleOf } from "./lora.ts";

type Data = Readonly<Record<string, Float32Array>>;

/** Columns beyond those asked for, and rounds, by which the first ones are found well (Halko, Martinsson and Tropp 2011). */
const [spare, rounds] = [8, 2];

/** An adapter's matrices by name, whose products are the first singular directions of each change. */
export function nearestLora(base: Data, tuned: Data, { placements, config }: Lora): Record<string, Float32Array> {
  const scale = scaleOf(config);
  return Object.fromEntries(
    placements.flatMap((placement) => {
      const { path } = placement;
      const [before, after] = [base[`${path}.weight`]!, tuned[`${path}.weight`]!];
      const { a, b } = lowRank(changeOf(before, after, placement), config.rank);
      const name = (which: string) => `${adapterRoot}.${path}.${which}.weight`;
      return [
        [name("lora_A"), a],
        [name("lora_B"), b.map((value) => value / scale)],
      ];
    }),
  );
}

/** [outputs, inputs]. */
function changeOf(before: Float32Array, after: Float32Array, { inputs, outputs, stored }: Placement): Matrix {
  const change = after.map((value, i) => value - before[i]!);
  if (stored === "outputs-first") return Matrix.from1DArray(outputs, inputs, change);
  return Matrix.from1DArray(inputs, outputs, change).transpose();
}

/** a [rank, inputs] and b [outputs, rank], so that b a is `change` as nearly as that rank allows. */
function lowRank(change: Matrix, rank: number) {
  const { rows: outputs, columns: inputs } = change;
  const turned = change.transpose();
  const moved = (basis: Matrix) => change.mmul(turned.mmul(basis));
  const count = Math.min(outputs, rank + spare);
  let basis = Matrix.from1DArray(outputs, count, normals(outputs * count, { seed: 0 }));
  for (let round = 0; round < rounds; round++) basis = new QrDecomposition(moved(basis)).orthogonalMatrix;
  const within = new EigenvalueDecomposition(basis.transpose().mmul(moved(basis)), { assumeSymmetric: true });
  const kept = Math.min(rank, count);
  // Ascending by eigenvalue.
  const last = within.eigenvectorMatrix.subMatrix(0, count - 1, count - kept, count - 1);
  const directions = basis.mmul(last);
  const [a, b] = [new Float32Array(rank * inputs), new Float32Array(outputs * rank)];
  a.set(directions.transpose().mmul(change).to1DArray());
  for (let output = 0; output < outputs; output++) b.set(directions.getRow(output), output * rank);
  return { a, b };
}
