/** The bundler takes shell scripts in as text. */
declare module '*.sh' {
  const text: string;
  export default text;
}
