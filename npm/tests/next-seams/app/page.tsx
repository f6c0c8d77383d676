export default () => <p>page=root</p>;
