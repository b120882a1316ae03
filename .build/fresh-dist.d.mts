export default function freshDist(): void;
